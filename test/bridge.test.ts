import { MessageStatus } from '@eth-optimism/sdk';
import { opPredeploys } from '@openledger/chain-config';
import { type Hex, keccak256, parseEther } from 'viem';
import { extractTransactionDepositedLogs, getL2TransactionHashes } from 'viem/op-stack';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { TestVerifier } from '../node/test/support/testVerifier.ts';
import { wallet } from '../node/test/support/wallets.ts';
import { bond, createL2Token, depositOpen, depositToken, withdrawOpen, withdrawToken } from './support/bridgeCalls.ts';
import { type BridgeClients, bridgeClients, onL1, onL2, tokensOf } from './support/bridgeClients.ts';
import { expectFeesAsEstimated } from './support/fees.ts';
import { expectOpNodeAnswers, proposals } from './support/opNode.ts';
import { crossChainMessenger, withdrawTokenThrough } from './support/opSdk.ts';
import { Rollup } from './support/rollup.ts';
import { FINALIZATION_PERIOD, holder, holderKey, l1SourceOf } from './support/rollupL1.ts';
import { buildProof, finalize, prove, statusOf, timeToProve, untilProvable, withdrawalOf } from './support/withdraw.ts';

const bo = wallet('bridge bo').address;
const carol = wallet('bridge carol').address;
const TOKENS = 5_000_000_000_000_000_007n;

/** One chain, whose history goes on from test to test. */
describe('a rollup as clients of the OP Stack use it', () => {
  let rollup: Rollup;
  let clients: BridgeClients;
  let l2Token: Hex;
  const contracts = () => rollup.l1.file.l1Contracts;
  const openOnL1 = (owner: Hex) => tokensOf(clients.l1, contracts().open, owner);
  const tokenOnL1 = (owner: Hex) => tokensOf(clients.l1, rollup.l1.token, owner);
  const tokenOnL2 = (owner: Hex) => tokensOf(clients.l2, l2Token, owner);
  const coins = (address: Hex) => clients.l2.getBalance({ address });

  beforeAll(async () => {
    rollup = await Rollup.start(BigInt(Math.floor(Date.now() / 1000)));
    clients = bridgeClients(rollup, holder);
    await rollup.batchAs('calldata');
    // Clients ask the oracle for its latest output, which it refuses while there is none.
    await rollup.until(async () => (await proposals(clients)).length > 0);
  });
  afterAll(() => rollup?.close());

  it('OPEN is locked on L1 and is the coin on L2', async () => {
    const deposit = await depositOpen(clients, { to: bo, mint: parseEther('100'), value: parseEther('4') });
    const [log] = extractTransactionDepositedLogs(deposit);
    expect(log?.args).toMatchObject({ from: holder.address, to: bo, version: 0n });
    const [hash] = getL2TransactionHashes(deposit);
    expect(await onL2(clients, hash!)).toMatchObject({ gasUsed: 21_000n, effectiveGasPrice: 0n });
    const [mint, value] = [parseEther('100'), parseEther('4')];
    expect(await clients.l2.getTransaction({ hash: hash! })).toMatchObject({ type: 'deposit', mint, value });
    expect([await coins(bo), await coins(holder.address)]).toEqual([parseEther('4'), parseEther('96')]);
    expect(await openOnL1(contracts().optimismPortal)).toBe(parseEther('100'));
  });

  it('a deposit that fails on L2 leaves what it minted to its sender', async () => {
    const [hash] = getL2TransactionHashes(await depositOpen(clients, { to: bo, mint: 1n, value: parseEther('1000') }));
    await expect(onL2(clients, hash!)).rejects.toThrow('failed');
    expect([await coins(bo), await coins(holder.address)]).toEqual([parseEther('4'), parseEther('96') + 1n]);
  });

  it('an ERC-20 goes over the standard bridge', async () => {
    l2Token = await createL2Token(clients, rollup.l1.token);
    const [hash] = getL2TransactionHashes(await depositToken(clients, l2Token, TOKENS));
    await onL2(clients, hash!);
    expect([await tokenOnL2(holder.address), await tokenOnL1(contracts().l1StandardBridge)]).toEqual([TOKENS, TOKENS]);
  });

  it('OPEN and the ERC-20 come back with a proof, and only with that', async () => {
    const value = 1_234_567_890_123_456_789n;
    const before = await coins(holder.address);
    const open = await withdrawOpen(clients, carol, value);
    const { operatorFeeScalar, operatorFeeConstant } = rollup.engine.config.genesis.systemConfig;
    const operatorFee = open.gasUsed * BigInt(operatorFeeScalar) * 100n + operatorFeeConstant;
    const fees = open.gasUsed * open.effectiveGasPrice + (open.l1Fee ?? 0n) + operatorFee;
    expect(await coins(holder.address)).toBe(before - value - fees);
    expect(await coins(opPredeploys.l2ToL1MessagePasser)).toBe(value);
    const token = await withdrawToken(clients, l2Token, 3n);
    expect(withdrawalOf(open)).toMatchObject({ sender: holder.address, target: carol, value });
    expect(withdrawalOf(token)).toMatchObject({ target: contracts().l1CrossDomainMessenger, value: 0n });

    expect(await statusOf(clients, token)).toBe('waiting-to-prove');
    expect(await timeToProve(clients, token)).toBeGreaterThan(0);
    await untilProvable(clients, token);
    expect(await statusOf(clients, open)).toBe('ready-to-prove');
    const proof = await buildProof(clients, open);
    const forged = (changes: Partial<typeof proof>) => clients.l1Wallet.proveWithdrawal({ ...proof, ...changes });
    const richer = { ...proof.withdrawal, value: value + 1n };
    await expect(forged({ withdrawal: richer })).rejects.toThrow(/MerkleTrie|inclusion proof/);
    const elsewhere = { ...proof.outputRootProof, messagePasserStorageRoot: keccak256('0x') };
    await expect(forged({ outputRootProof: elsewhere })).rejects.toThrow('invalid output root proof');

    for (const receipt of [open, token]) await prove(clients, receipt);
    expect(await statusOf(clients, open)).toBe('waiting-to-finalize');
    await expect(finalize(clients, open)).rejects.toThrow('finalization period has not elapsed');
    await rollup.turn(FINALIZATION_PERIOD + 1n);
    expect(await statusOf(clients, open)).toBe('ready-to-finalize');
    const owned = await tokenOnL1(holder.address);
    for (const receipt of [open, token]) await finalize(clients, receipt);
    expect([await statusOf(clients, open), await statusOf(clients, token)]).toEqual(['finalized', 'finalized']);
    await expect(finalize(clients, open)).rejects.toThrow('already been finalized');
    expect([await openOnL1(carol), await tokenOnL1(holder.address)]).toEqual([value, owned + 3n]);
    expect(await openOnL1(contracts().optimismPortal)).toBe(parseEther('100') + 1n - value);
    expect(await tokenOnL2(holder.address)).toBe(TOKENS - 3n);
  });

  it('the older SDK deposits, proves and finalizes on the same chain, whose data goes into blobs now', async () => {
    await rollup.batchAs('blobs');
    const sdk = crossChainMessenger(rollup, holderKey);
    const { token } = rollup.l1;
    await onL1(clients, (await sdk.approveERC20(token, l2Token, 50)).hash as Hex);
    const deposit = await sdk.depositERC20(token, l2Token, 50);
    await onL1(clients, deposit.hash as Hex);
    await rollup.until(async () => (await sdk.getMessageStatus(deposit.hash)) === MessageStatus.RELAYED);
    expect(await tokenOnL2(holder.address)).toBe(TOKENS - 3n + 50n);

    await expect(sdk.withdrawERC20(token, l2Token, 20)).rejects.toThrow('not supported with custom gas token');
    const hash = await withdrawTokenThrough(sdk, l2Token, token, 20);
    await onL2(clients, hash);
    const status = () => sdk.getMessageStatus(hash);
    expect(await status()).toBe(MessageStatus.STATE_ROOT_NOT_PUBLISHED);
    await rollup.until(async () => (await status()) !== MessageStatus.STATE_ROOT_NOT_PUBLISHED);
    expect(await status()).toBe(MessageStatus.READY_TO_PROVE);
    await onL1(clients, (await sdk.proveMessage(hash)).hash as Hex);
    expect(await status()).toBe(MessageStatus.IN_CHALLENGE_PERIOD);
    await rollup.turn(FINALIZATION_PERIOD + 1n);
    expect(await status()).toBe(MessageStatus.READY_FOR_RELAY);
    const owned = await tokenOnL1(holder.address);
    await onL1(clients, (await sdk.finalizeMessage(hash)).hash as Hex);
    expect(await status()).toBe(MessageStatus.RELAYED);
    expect(await tokenOnL1(holder.address)).toBe(owned + 20n);
  });

  it('fees are what the estimates said, to what a signature adds to the L1 fee', async () => {
    await expectFeesAsEstimated(clients, carol);
  });

  it('it says of itself what op-node would', async () => {
    await expectOpNodeAnswers(clients);
  });

  it('a verifier that has nothing but L1 has the same chain and the same event log', async () => {
    await bond(clients, parseEther('1'));
    await rollup.settle();
    const { engine, l1 } = rollup;
    expect(engine.heads.safe).toEqual(engine.heads.unsafe);
    const source = l1SourceOf(l1);
    const blobs = vi.spyOn(source, 'blobs');
    const verifier = await (await TestVerifier.start(source, l1.file.genesis)).sync();
    expect(blobs).toHaveBeenCalled();
    expect(verifier.engine.heads.unsafe).toEqual(engine.heads.unsafe);
    expect(await verifier.engine.eventLog.head()).toEqual(await engine.eventLog.head());
  });
});
