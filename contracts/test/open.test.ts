import { encodeDeployData, parseEther, parseSignature } from 'viem';
import { describe, expect, it } from 'vitest';
import { openAbi, openBytecode } from '../ts/generated/Open.ts';
import { account, isolateTests, startChain } from './support/chain.ts';
import { contractAt } from './support/contract.ts';
import { alice, bob, carol, create } from './support/system.ts';

const chain = await startChain();
const open = contractAt(
  chain,
  openAbi,
  await create(chain, encodeDeployData({ abi: openAbi, bytecode: openBytecode, args: [alice] })),
);
isolateTests(chain);

const SUPPLY = parseEther('1000000000');

describe('OPEN', () => {
  it('is minted once, to the holder', async () => {
    expect(await open.read('name', [])).toBe('OpenLedger');
    expect(await open.read('symbol', [])).toBe('OPEN');
    expect(await open.read('decimals', [])).toBe(18);
    expect(await open.read('totalSupply', [])).toBe(SUPPLY);
    expect(await open.read('balanceOf', [alice])).toBe(SUPPLY);
    expect(openAbi.filter((item) => item.type === 'function' && item.name.includes('mint'))).toEqual([]);
  });

  it('burns', async () => {
    await open.send(alice, 'burn', [5n]);
    expect(await open.read('totalSupply', [])).toBe(SUPPLY - 5n);
    await open.send(alice, 'approve', [bob, 7n]);
    await open.send(bob, 'burnFrom', [alice, 7n]);
    await open.refuses(bob, 'burnFrom', [alice, 1n], 'ERC20InsufficientAllowance', [bob, 0n, 1n]);
    expect(await open.read('balanceOf', [alice])).toBe(SUPPLY - 12n);
  });

  it('is spent by a permit, once', async () => {
    const deadline = (await chain.now()) + 3600n;
    const signature = await account(1).signTypedData({
      domain: { name: 'OpenLedger', version: '1', chainId: chain.client.chain.id, verifyingContract: open.address },
      types: {
        Permit: [
          { name: 'owner', type: 'address' },
          { name: 'spender', type: 'address' },
          { name: 'value', type: 'uint256' },
          { name: 'nonce', type: 'uint256' },
          { name: 'deadline', type: 'uint256' },
        ],
      },
      primaryType: 'Permit',
      message: { owner: alice, spender: bob, value: 9n, nonce: 0n, deadline },
    });
    const { r, s, yParity } = parseSignature(signature);
    await open.send(carol, 'permit', [alice, bob, 9n, deadline, 27 + yParity, r, s]);
    await open.send(bob, 'transferFrom', [alice, carol, 9n]);
    expect(await open.read('balanceOf', [carol])).toBe(9n);
    expect(
      (
        await chain.send({
          from: carol,
          to: open.address,
          data: open.data('permit', [alice, bob, 9n, deadline, 27 + yParity, r, s]),
        })
      ).status,
    ).toBe('reverted');
  });
});
