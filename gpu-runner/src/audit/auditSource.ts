import {
  attributionProof,
  auditOpening,
  type Batch,
  contracts,
  drawOf,
  type OpenLedgerClient,
  readBatch,
} from '@openledger/client';
import { type BatchOutput, decodePage, outputIdOf, outputsOf, PageDecodeError } from '@openledger/contracts';
import { type Address, type Hex, zeroAddress } from 'viem';
import type { RecentBatch } from '../chain/auditsView.ts';

/** The rules of this chain: shares in basis points, blocks, seconds. */
export type AuditRules = {
  readonly inferenceRateBps: number;
  readonly trainingRateBps: number;
  readonly beaconDelay: number;
  readonly reportSeconds: bigint;
  readonly voteSeconds: bigint;
};

export type DrawnOutput = {
  readonly outputId: Hex;
  readonly auditor: Address;
  /** From this block on everybody opens the audit. */
  readonly openedByAll: bigint;
  readonly batch: RecentBatch;
};

/** What auditors ask the node: rules, batches, draws. */
export type AuditSource = {
  rules(): Promise<AuditRules>;
  /** The drawn outputs of a batch whose beacon block is there, with their auditors. */
  drawn(batch: RecentBatch): Promise<DrawnOutput[]>;
  /** What `Audits.open` takes. @throws RangeError when the batch is another one by now */
  opening(drawn: DrawnOutput): Promise<readonly unknown[]>;
  /** @throws RangeError when the batch has no such output */
  output(batchIndex: bigint, outputId: Hex, blockNumber?: bigint): Promise<BatchOutput>;
};

/** Share of the time to open an audit after which others than the auditor do. */
const PATIENCE_BLOCKS = 2_048n;

export const rpcAuditSource = (client: OpenLedgerClient['public']): AuditSource => {
  let known: Promise<AuditRules> | undefined;
  const rules = () => {
    known ??= readRules(client).catch((error) => {
      known = undefined;
      throw error;
    });
    return known;
  };
  return {
    rules,
    drawn: async (recent) => {
      const found = await rules();
      const beaconBlock = recent.blockNumber + BigInt(found.beaconDelay);
      const [batch, { mixHash: seed }] = await Promise.all([
        readBatch(client, recent.batchIndex, recent.blockNumber),
        client.getBlock({ blockNumber: beaconBlock }),
      ]);
      const drawn: DrawnOutput[] = [];
      for (const output of outputsIn(batch)) {
        const outputId = outputIdOf(output);
        if (!drawOf(outputId, output.sourceKind, seed, found)) continue;
        const [auditor] = await client.readContract({
          ...contracts.audits,
          functionName: 'candidates',
          args: [outputId, seed, recent.blockNumber, recent.runner],
        });
        if (auditor === zeroAddress) continue;
        const openedByAll = beaconBlock + PATIENCE_BLOCKS;
        drawn.push({ outputId, auditor: auditor.toLowerCase() as Address, openedByAll, batch: recent });
      }
      return drawn;
    },
    opening: async ({ outputId, batch: { batchIndex, blockNumber } }) => {
      const { beaconDelay } = await rules();
      const batch = await readBatch(client, batchIndex, blockNumber);
      const { place } = attributionProof(batch, { outputId });
      return auditOpening(client, { place, beaconDelay });
    },
    output: async (batchIndex, outputId, blockNumber) =>
      attributionProof(await readBatch(client, batchIndex, blockNumber), { outputId }).output,
  };
};

const readRules = async (client: OpenLedgerClient['public']): Promise<AuditRules> => {
  const read = <const Name extends 'INFERENCE_RATE_BPS' | 'TRAINING_RATE_BPS' | 'BEACON_DELAY'>(functionName: Name) =>
    client.readContract({ ...contracts.audits, functionName });
  const [inferenceRateBps, trainingRateBps, beaconDelay, reportSeconds, voteSeconds] = await Promise.all([
    read('INFERENCE_RATE_BPS'),
    read('TRAINING_RATE_BPS'),
    read('BEACON_DELAY'),
    client.readContract({ ...contracts.audits, functionName: 'REPORT_SECONDS' }),
    client.readContract({ ...contracts.audits, functionName: 'VOTE_SECONDS' }),
  ]);
  return { inferenceRateBps, trainingRateBps, beaconDelay, reportSeconds, voteSeconds };
};

/** The outputs of a batch; a page that nodes reject has none. */
const outputsIn = ({ pages }: Batch): BatchOutput[] =>
  pages.flatMap((page) => {
    try {
      return outputsOf(decodePage(page));
    } catch (error) {
      if (error instanceof PageDecodeError) return [];
      throw error;
    }
  });
