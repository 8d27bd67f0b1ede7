import { encodeAbiParameters, encodeDeployData, type Hex, keccak256, zeroHash } from 'viem';
import { describe, expect, it } from 'vitest';
import { hatchlingAbi, hatchlingBytecode } from './generated/Hatchling.ts';
import { account, isolateTests, startChain } from './support/chain.ts';
import { alice, createActor, deploySystem, MIN_BOND, otherRunner, runner } from './support/system.ts';

const chain = await startChain();
const { ledger, jobs, staking } = await deploySystem(chain);
isolateTests(chain);

function nextHead(previous: Hex, index: bigint, count: number, batch: Hex): Hex {
  const types = [
    { type: 'bytes32' },
    { type: 'uint256' },
    { type: 'uint8' },
    { type: 'uint32' },
    { type: 'bytes32' },
  ] as const;
  return keccak256(encodeAbiParameters(types, [previous, index, 0, count, keccak256(batch)]));
}

describe('AttributionLedger', () => {
  it('chains batches of bonded runners and of Jobs', async () => {
    expect(await ledger.read('head', [])).toBe(zeroHash);
    const first = await ledger.send(runner, 'append', [0, 3, '0x1234']);
    const head = nextHead(zeroHash, 0n, 3, '0x1234');
    expect(ledger.event(first, 'BatchAppended')).toEqual({
      batchIndex: 0n,
      runner,
      version: 0,
      count: 3,
      batchHash: keccak256('0x1234'),
      head,
    });
    const second = await ledger.send(jobs.address, 'appendFor', [otherRunner, 0, 1, '0xff']);
    expect(ledger.event(second, 'BatchAppended')).toMatchObject({ batchIndex: 1n, runner: otherRunner });
    expect(await ledger.read('batchCount', [])).toBe(2n);
    expect(await ledger.read('head', [])).toBe(nextHead(head, 1n, 1, '0xff'));
    expect(await ledger.read('headAt', [0n])).toBe(head);
    expect(await ledger.read('headAt', [2n])).toBe(zeroHash);
  });

  it('refuses what is no batch', async () => {
    await ledger.refuses(runner, 'append', [1, 1, '0x01'], 'UnknownBatchVersion', [1]);
    await ledger.refuses(runner, 'append', [0, 0, '0x01'], 'EmptyBatch');
    await ledger.refuses(runner, 'append', [0, 1, '0x'], 'EmptyBatch');
    await ledger.refuses(jobs.address, 'appendFor', [runner, 9, 1, '0x01'], 'UnknownBatchVersion', [9]);
  });

  it('refuses whoever is neither a bonded runner nor Jobs', async () => {
    await ledger.refuses(alice, 'append', [0, 1, '0x01'], 'NotBondedRunner', [alice]);
    await ledger.refuses(runner, 'appendFor', [runner, 0, 1, '0x01'], 'NotJobs', [runner]);
    await staking.send(runner, 'requestUnbond', [1n]);
    await ledger.refuses(runner, 'append', [0, 1, '0x01'], 'NotBondedRunner', [runner]);
  });

  it('refuses a call through a contract, bonded or not', async () => {
    const actor = await createActor(chain, MIN_BOND);
    await actor.send(alice, 'execute', [staking.address, MIN_BOND, staking.data('bond', [])]);
    const through = [ledger.address, 0n, ledger.data('append', [0, 1, '0x01'])] as const;
    await actor.refuses(runner, 'execute', through, 'NotTopLevel', [actor.address]);
  });

  it('refuses a contract in construction, which has no code yet', async () => {
    const bond = { target: staking.address, value: MIN_BOND, data: staking.data('bond', []) };
    const append = { target: ledger.address, value: 0n, data: ledger.data('append', [0, 1, '0x01']) };
    const hatch = (calls: (typeof bond)[]) => {
      const data = encodeDeployData({ abi: hatchlingAbi, bytecode: hatchlingBytecode, args: [calls] });
      return chain.send({ from: runner, data, value: MIN_BOND });
    };
    expect((await hatch([bond])).status).toBe('success');
    expect((await hatch([bond, append])).status).toBe('reverted');
    expect(await ledger.read('batchCount', [])).toBe(0n);
  });

  it('refuses an account that EIP-7702 lets call itself: its batch would not be the calldata of the transaction', async () => {
    const signer = account(4);
    expect(signer.address).toBe(runner);
    const actor = await createActor(chain);
    const hash = await chain.client.sendTransaction({
      account: signer,
      to: runner,
      data: actor.data('execute', [ledger.address, 0n, ledger.data('append', [0, 1, '0x01'])]),
      authorizationList: [
        await chain.client.signAuthorization({ account: signer, contractAddress: actor.address, executor: 'self' }),
      ],
      gas: 1_000_000n,
      maxFeePerGas: 0n,
      maxPriorityFeePerGas: 0n,
    });
    const receipt = await chain.client.waitForTransactionReceipt({ hash, pollingInterval: 20 });
    expect(receipt.status).toBe('reverted');
    expect(await chain.client.getCode({ address: runner })).toBe(`0xef0100${actor.address.slice(2).toLowerCase()}`);
    expect(await ledger.read('batchCount', [])).toBe(0n);
    // Also straight from such an account: it has code, so the two can't be told apart from inside.
    await ledger.refuses(runner, 'append', [0, 1, '0x01'], 'NotTopLevel', [runner]);
  });
});
