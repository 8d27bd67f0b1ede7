import { randomBytes } from 'node:crypto';
import { MessageStatus } from '@eth-optimism/sdk';
import { opPredeploys, parseRollupJson, predeploys } from '@openledger/chain-config';
import { stakingAbi } from '@openledger/contracts';
import { type Abi, type Address, type Hex, parseEther, toHex } from 'viem';
import { extractTransactionDepositedLogs, getL2TransactionHashes } from 'viem/op-stack';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestVerifier } from '../node/test/support/testVerifier.ts';
import { wallet } from '../node/test/support/wallets.ts';
import {
  approve,
  type BridgeClients,
  bridgeClients,
  contract,
  onL1,
  onL2,
  tokensOf,
  writeL1,
  writeL2,
} from './support/bridgeClients.ts';
import { crossChainMessenger } from './support/opSdk.ts';
import { l1SourceOf, Rollup } from './support/rollup.ts';
import { holder, holderKey } from './support/rollupL1.ts';
import { buildProof, finalize, prove, statusOf, untilProvable, waitOut, withdrawalOf } from './support/withdraw.ts';

const bo = wallet('bridge bo').address;
const carol = wallet('bridge carol').address;
const figures: Record<string, string> = {};
const tell = (name: string, value: bigint | number) => { figures[name] = String(value); };

describe('a rollup on L1, as clients of the OP Stack use it', () => {
  let rollup: Rollup;
  let clients: BridgeClients;
  let l2Token: Address;
  const l1 = () => rollup.l1.file.l1Contracts;
  const openOnL1 = (owner: Address) => tokensOf(clients.l1, l1().open, owner);
  const coins = (address: Address) => clients.l2.getBalance({ address });

  beforeAll(async () => {
    rollup = await Rollup.start(BigInt(Math.floor(Date.now() / 1000)));
    clients = bridgeClients(rollup, holder);
    await rollup.batchAs('calldata');
  });
  afterAll(async () => { await rollup?.close(); process.stderr.write(JSON.stringify(figures, null, 1)); });

  it('OPEN is locked on L1 and is the coin on L2', async () => {
    const portal = contract('OptimismPortal', l1().optimismPortal);
    await approve(clients, l1().open, portal.address, parseEther('1000'));
    const deposit = (mint: bigint, value: bigint) =>
      writeL1(clients, { ...portal, functionName: 'depositERC20Transaction', args: [bo, mint, value, 100_000n, false, '0x'] });
    const receipt = await deposit(parseEther('100'), parseEther('4'));
    tell('gas depositERC20Transaction', receipt.gasUsed);
    const [log] = extractTransactionDepositedLogs(receipt);
    expect(log?.args).toMatchObject({ from: holder.address, to: bo, version: 0n });
    const [hash] = getL2TransactionHashes(receipt);
    const onL2Receipt = await onL2(clients, hash!);
    expect(await clients.l2.getTransaction({ hash: hash! })).toMatchObject({
      type: 'deposit', mint: parseEther('100'), value: parseEther('4'), isSystemTx: false,
    });
    expect(onL2Receipt).toMatchObject({ gasUsed: 21_000n, effectiveGasPrice: 0n });
    expect(await coins(bo)).toBe(parseEther('4'));
    expect(await coins(holder.address)).toBe(parseEther('96'));
    expect(await openOnL1(portal.address)).toBe(parseEther('100'));

    // More than there is: the transfer fails, what was minted stays.
    const [failing] = getL2TransactionHashes(await deposit(1n, parseEther('1000')));
    await expect(onL2(clients, failing!)).rejects.toThrow('failed');
    expect(await coins(holder.address)).toBe(parseEther('96') + 1n);
    expect(await coins(bo)).toBe(parseEther('4'));
  });

  it('an ERC-20 goes over the standard bridge', async () => {
    const factory = contract('OptimismMintableERC20Factory', opPredeploys.optimismMintableERC20Factory);
    const create = { ...factory, functionName: 'createOptimismMintableERC20', args: [rollup.l1.token, 'Other', 'OTH'] };
    const { result } = await clients.l2.simulateContract({ ...create, account: holder });
    l2Token = result as Address;
    tell('gas createOptimismMintableERC20', (await writeL2(clients, create)).gasUsed);
    const bridge = contract('L1StandardBridge', l1().l1StandardBridge);
    const amount = 5_000_000_000_000_000_007n;
    await approve(clients, rollup.l1.token, bridge.address, amount);
    const args = [rollup.l1.token, l2Token, amount, 200_000, '0x'];
    const receipt = await writeL1(clients, { ...bridge, functionName: 'depositERC20', args });
    tell('gas L1StandardBridge.depositERC20', receipt.gasUsed);
    const [hash] = getL2TransactionHashes(receipt);
    tell('gas relayMessage on L2', (await onL2(clients, hash!)).gasUsed);
    expect(await tokensOf(clients.l2, l2Token, holder.address)).toBe(amount);
    expect(await tokensOf(clients.l1, rollup.l1.token, bridge.address)).toBe(amount);
  });

  it('OPEN and the ERC-20 come back with proofs, and only with those', async () => {
    const { targetChain, l2Wallet } = clients;
    const value = 1_234_567_890_123_456_789n;
    const before = await coins(holder.address);
    const request = { gas: 100_000n, to: carol, value };
    const open = await onL2(clients, await l2Wallet.initiateWithdrawal({ account: holder, request }));
    tell('gas initiateWithdrawal', open.gasUsed);
    tell('l1Fee initiateWithdrawal', open.l1Fee ?? 0n);
    const operatorFee = open.gasUsed * 1_500n * 100n + 123_456_789n;
    const fees = open.gasUsed * open.effectiveGasPrice + (open.l1Fee ?? 0n) + operatorFee;
    expect(await coins(holder.address)).toBe(before - value - fees);
    expect(await coins(opPredeploys.l2ToL1MessagePasser)).toBe(value);
    const l2Bridge = contract('L2StandardBridge', opPredeploys.l2StandardBridge);
    const args = [l2Token, rollup.l1.token, 3n, 0, '0x'];
    const token = await writeL2(clients, { ...l2Bridge, functionName: 'bridgeERC20', args });
    expect(withdrawalOf(open)).toMatchObject({ sender: holder.address, target: carol, value });
    expect(withdrawalOf(token)).toMatchObject({ target: l1().l1CrossDomainMessenger, value: 0n });

    expect(await statusOf(clients, open)).toBe('waiting-to-prove');
    expect((await clients.l1.getTimeToProve({ receipt: open as never, targetChain })).seconds).toBeGreaterThan(0);
    await untilProvable(clients, token);
    expect([await statusOf(clients, open), await statusOf(clients, token)]).toEqual(['ready-to-prove', 'ready-to-prove']);

    const proof = await buildProof(clients, open);
    const forge = (changes: Partial<typeof proof>) => clients.l1Wallet.proveWithdrawal({ ...proof, ...changes });
    const richer = { ...proof.withdrawal, value: value + 1n };
    await expect(forge({ withdrawal: richer })).rejects.toThrow(/MerkleTrie|inclusion proof/);
    const other = { ...proof.outputRootProof, messagePasserStorageRoot: `0x${'11'.repeat(32)}` as Hex };
    await expect(forge({ outputRootProof: other })).rejects.toThrow('invalid output root proof');

    tell('gas proveWithdrawal OPEN', (await prove(clients, open)).gasUsed);
    tell('gas proveWithdrawal ERC-20', (await prove(clients, token)).gasUsed);
    expect(await statusOf(clients, open)).toBe('waiting-to-finalize');
    await expect(finalize(clients, withdrawalOf(open))).rejects.toThrow('finalization period has not elapsed');
    await waitOut(clients);
    expect(await statusOf(clients, open)).toBe('ready-to-finalize');
    const locked = await openOnL1(l1().optimismPortal);
    const owned = await tokensOf(clients.l1, rollup.l1.token, holder.address);
    tell('gas finalizeWithdrawal OPEN', (await finalize(clients, withdrawalOf(open))).gasUsed);
    tell('gas finalizeWithdrawal ERC-20', (await finalize(clients, withdrawalOf(token))).gasUsed);
    expect([await statusOf(clients, open), await statusOf(clients, token)]).toEqual(['finalized', 'finalized']);
    expect(await openOnL1(carol)).toBe(value);
    expect(await openOnL1(l1().optimismPortal)).toBe(locked - value);
    expect(await tokensOf(clients.l1, rollup.l1.token, holder.address)).toBe(owned + 3n);
    await expect(finalize(clients, withdrawalOf(open))).rejects.toThrow('already been finalized');
  });

  it('the older SDK deposits, proves and finalizes on the same chain', async () => {
    await rollup.batchAs('blobs');
    const sdk = crossChainMessenger(rollup, holderKey);
    const { token } = rollup.l1;
    const minted = await tokensOf(clients.l2, l2Token, holder.address);
    await onL1(clients, (await sdk.approveERC20(token, l2Token, 50)).hash as Hex);
    const deposit = await sdk.depositERC20(token, l2Token, 50);
    await rollup.until(async () => (await sdk.getMessageStatus(deposit.hash).catch(() => -1)) === MessageStatus.RELAYED);
    expect(await tokensOf(clients.l2, l2Token, holder.address)).toBe(minted + 50n);

    await expect(sdk.withdrawERC20(token, l2Token, 20)).rejects.toThrow('not supported with custom gas token');
    const { hash } = await sdk.contracts.l2.L2StandardBridge.connect(sdk.l2Signer).bridgeERC20!(l2Token, token, 20, 0, '0x');
    await onL2(clients, hash as Hex);
    const owned = await tokensOf(clients.l1, token, holder.address);
    const status = () => sdk.getMessageStatus(hash);
    expect(await status()).toBe(MessageStatus.STATE_ROOT_NOT_PUBLISHED);
    await rollup.until(async () => (await status()) !== MessageStatus.STATE_ROOT_NOT_PUBLISHED);
    expect(await status()).toBe(MessageStatus.READY_TO_PROVE);
    tell('gas sdk prove', (await onL1(clients, (await sdk.proveMessage(hash)).hash as Hex)).gasUsed);
    expect(await status()).toBe(MessageStatus.IN_CHALLENGE_PERIOD);
    await waitOut(clients);
    expect(await status()).toBe(MessageStatus.READY_FOR_RELAY);
    tell('gas sdk finalize', (await onL1(clients, (await sdk.finalizeMessage(hash)).hash as Hex)).gasUsed);
    expect(await status()).toBe(MessageStatus.RELAYED);
    expect(await tokensOf(clients.l1, token, holder.address)).toBe(owned + 20n);
  });

  it('fees are what the estimates said', async () => {
    const { l2, l2Wallet } = clients;
    for (const data of ['0x', `0x${'00'.repeat(40)}`, toHex(randomBytes(40)), toHex(randomBytes(2_000)), `0x${'01'.repeat(4_000)}`] as Hex[]) {
      const call = { account: holder, to: carol, value: 7n, data };
      const [l1Fee, operatorFee, total, l1BaseFee] = await Promise.all([
        l2.estimateL1Fee(call), l2.estimateOperatorFee(call), l2.estimateTotalFee(call), l2.getL1BaseFee(),
      ]);
      const before = await coins(holder.address);
      const hash = await l2Wallet.sendTransaction(call);
      await rollup.sequencer.step();
      const r = await l2.getTransactionReceipt({ hash });
      const raw = await l2.request({ method: 'eth_getTransactionReceipt', params: [hash] }) as unknown as Record<string,string>;
      const paid = before - 7n - await coins(holder.address);
      const opFee = r.gasUsed * BigInt(raw.operatorFeeScalar!) * 100n + BigInt(raw.operatorFeeConstant!);
      process.stderr.write([data.length/2-1, 'l1', l1Fee, r.l1Fee, 'op', operatorFee, opFee, 'total', total, paid, 'execution', r.gasUsed * r.effectiveGasPrice, 'base', l1BaseFee, r.l1GasPrice, r.gasUsed, r.effectiveGasPrice].join(' ')+'\n');
      await rollup.turn();
    }
  });

  it('optimism_', async () => {
    const rpc = async (method: string, ...params: unknown[]): Promise<unknown> => clients.l2.request({ method, params } as never);
    expect(await rpc('optimism_version')).toMatch(/^OpenLedger/);
    expect(parseRollupJson(await rpc('optimism_rollupConfig'))).toEqual(rollup.engine.config);
    process.stderr.write(JSON.stringify(await rpc('optimism_syncStatus'), null, 1));
    process.stderr.write(JSON.stringify(await rpc('optimism_outputAtBlock', '0xa'), null, 1));
  });

  it('verifier', async () => {
    await writeL2(clients, { address: predeploys.staking, abi: stakingAbi as Abi, functionName: 'bond', args: [], value: parseEther('1') } as never);
    await rollup.settle();
    const { genesis } = rollup.l1.file;
    const t = performance.now();
    const verifier = await (await TestVerifier.start(l1SourceOf(rollup.l1), genesis)).sync();
    tell('verifier ms', Math.round(performance.now() - t));
    tell('blocks', rollup.engine.heads.safe.number);
    expect(verifier.engine.heads.safe).toEqual(rollup.engine.heads.safe);
    const a = await verifier.engine.eventLog.head(); const b = await rollup.engine.eventLog.head();
    process.stderr.write(String(a?.logHash)+' '+String(b?.logHash)+' '+String(a?.nextSeq)+'\n');
  });
});
