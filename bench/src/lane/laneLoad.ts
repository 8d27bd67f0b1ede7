import { predeploys } from '@openledger/chain-config';
import { attributionLedgerAbi } from '@openledger/contracts';
import { encodeFunctionData, type HDAccount, type Hex, keccak256 } from 'viem';
import { bytesOf, hexesOf, makeBatch, type Shape } from './makeBatches.ts';

/** A batch that is ready to be sent. */
export type LaneTransaction = {
  readonly hash: Hex;
  readonly raw: Hex;
  readonly events: number;
  readonly outputs: number;
  readonly bytes: number;
  /** Milliseconds after the start at which it is to be sent. */
  readonly at: number;
};

export type Load = {
  /** Attributions a second over the whole time. */
  readonly rate: number;
  readonly seconds: number;
  /** Attributions in one transaction. */
  readonly batchEvents: number;
  readonly shape: Shape;
  /** Even gaps, or all that a second brings within its first tenth. */
  readonly pace: 'steady' | 'bursty';
};

/** Signs all transactions of a load beforehand, from the runners in turn: the clients' work is not the node's. */
export const makeLoad = async (
  load: Load,
  signers: { runners: readonly HDAccount[]; chainId: number; nonces: number[]; firstSeed: number },
): Promise<LaneTransaction[]> => {
  const count = Math.ceil((load.rate * load.seconds) / load.batchEvents);
  const transactions: LaneTransaction[] = [];
  for (let index = 0; index < count; index++) {
    const batch = makeBatch(signers.firstSeed + index, load.batchEvents, load.shape);
    const which = index % signers.runners.length;
    const runner = signers.runners[which] as HDAccount;
    const nonce = signers.nonces[which] as number;
    signers.nonces[which] = nonce + 1;
    const bytes = bytesOf(batch.pages);
    const raw = await runner.signTransaction({
      type: 'eip1559',
      chainId: signers.chainId,
      nonce,
      to: predeploys.attributionLedger,
      data: encodeFunctionData({ abi: attributionLedgerAbi, functionName: 'append', args: [hexesOf(batch.pages)] }),
      // The floor of EIP-7623 for all bytes, and room for the call around them.
      gas: 300_000n + 42n * BigInt(bytes),
      maxFeePerGas: 10n ** 10n,
      maxPriorityFeePerGas: 10n ** 6n,
    });
    const even = (index / count) * load.seconds * 1000;
    const at = load.pace === 'steady' ? even : Math.floor(even / 1000) * 1000 + (even % 1000) / 10;
    transactions.push({ hash: keccak256(raw), raw, events: batch.events, outputs: batch.outputs, bytes, at });
  }
  return transactions;
};
