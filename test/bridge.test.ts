import { opPredeploys, parseRollupJson, predeploys } from '@openledger/chain-config';
import { openAbi, stakingAbi } from '@openledger/contracts';
import { type Abi, type Address, type Hex, parseEther } from 'viem';
import { extractTransactionDepositedLogs, getL2TransactionHashes } from 'viem/op-stack';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestVerifier } from '../node/test/support/testVerifier.ts';
import { wallet } from '../node/test/support/wallets.ts';
import {
  approve,
  type BridgeClients,
  bridgeClients,
  contract,
  onL2,
  tokensOf,
  writeL1,
  writeL2,
} from './support/bridgeClients.ts';
import { l1SourceOf, Rollup } from './support/rollup.ts';
import { holder } from './support/rollupL1.ts';
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
});
