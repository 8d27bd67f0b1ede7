import { createRequire } from 'node:module';
import { opPredeploys } from '@openledger/chain-config';
import { type Abi, concat, encodeAbiParameters, type Hex, parseEther, toFunctionSignature, zeroAddress } from 'viem';
import { describe, expect, it } from 'vitest';
import { operatorFeeVaultAbi, operatorFeeVaultBytecode } from '../ts/generated/OperatorFeeVault.ts';
import { isolateTests, startChain } from './support/chain.ts';
import { contractAt } from './support/contract.ts';
import { alice, bob, create, createActor, governance, receiveModes } from './support/system.ts';

const require = createRequire(import.meta.url);
const artifact = (name: string): { abi: Abi; deployedBytecode: { object: Hex } } =>
  require(`@eth-optimism/contracts-bedrock/forge-artifacts/${name}.sol/${name}.json`);

const chain = await startChain();
const MINIMUM = parseEther('1');
const network = { l1: 0, l2: 1 } as const;
const deploy = async (recipient: Hex, to: number) => {
  const args = encodeAbiParameters(
    [{ type: 'address' }, { type: 'uint256' }, { type: 'uint8' }],
    [recipient, MINIMUM, to],
  );
  return contractAt(chain, operatorFeeVaultAbi, await create(chain, concat([operatorFeeVaultBytecode, args])));
};
const vault = await deploy(alice, network.l2);
isolateTests(chain);

const fund = (to: Hex, value: bigint) => chain.send({ from: governance, to, value });

describe('OperatorFeeVault', () => {
  it('gives everything to the recipient, whoever asks', async () => {
    await fund(vault.address, MINIMUM + 5n);
    const before = await chain.balance(alice);
    const receipt = await vault.send(bob, 'withdraw', []);
    expect((await chain.balance(alice)) - before).toBe(MINIMUM + 5n);
    expect(await chain.balance(vault.address)).toBe(0n);
    expect(await vault.read('totalProcessed', [])).toBe(MINIMUM + 5n);
    const events = vault.events(receipt, 'Withdrawal');
    expect(events).toHaveLength(2);
    expect(events[0]).toMatchObject({ value: MINIMUM + 5n, to: alice, from: bob });
  });

  it('waits for its minimum', async () => {
    await fund(vault.address, MINIMUM - 1n);
    await vault.refuses(bob, 'withdraw', [], 'BelowMinimum', [MINIMUM - 1n, MINIMUM]);
    await fund(vault.address, 1n);
    await vault.send(bob, 'withdraw', []);
  });

  it('keeps what the recipient refuses', async () => {
    const actor = await createActor(chain);
    await actor.send(governance, 'set', [zeroAddress, receiveModes.revert, zeroAddress, '0x']);
    const stubborn = await deploy(actor.address, network.l2);
    await fund(stubborn.address, MINIMUM);
    await stubborn.refuses(bob, 'withdraw', [], 'TransferFailed');
    expect(await chain.balance(stubborn.address)).toBe(MINIMUM);
    expect(await stubborn.read('totalProcessed', [])).toBe(0n);
  });

  it('withdraws to L1 through the message passer', async () => {
    const passer = artifact('L2ToL1MessagePasser');
    await chain.client.setCode({ address: opPredeploys.l2ToL1MessagePasser, bytecode: passer.deployedBytecode.object });
    const toL1 = await deploy(alice, network.l1);
    await fund(toL1.address, MINIMUM);
    const receipt = await toL1.send(bob, 'withdraw', []);
    expect(await chain.balance(opPredeploys.l2ToL1MessagePasser)).toBe(MINIMUM);
    const [passed] = contractAt(chain, passer.abi, opPredeploys.l2ToL1MessagePasser).events(receipt, 'MessagePassed');
    expect(passed).toMatchObject({ target: alice, value: MINIMUM, gasLimit: 400_000n, data: '0x' });
  });

  it('answers under the names of older vaults and of newer ones', async () => {
    expect(await vault.read('recipient', [])).toBe(alice);
    expect(await vault.read('minWithdrawalAmount', [])).toBe(MINIMUM);
    expect(await vault.read('withdrawalNetwork', [])).toBe(network.l2);
    expect(await vault.read('version', [])).toMatch(/^\d+\.\d+\.\d+/);
    const signatures = (abi: Abi) => abi.filter((item) => item.type === 'function').map(toFunctionSignature);
    expect(signatures(operatorFeeVaultAbi)).toEqual(expect.arrayContaining(signatures(artifact('BaseFeeVault').abi)));
  });
});
