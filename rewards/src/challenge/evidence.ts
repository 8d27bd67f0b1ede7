import { batchSourceKinds, decodePage, pageProof, type Settlement } from '@openledger/contracts';
import { bytesToHex, type Hex, zeroAddress, zeroHash } from 'viem';
import { type Receipt, SETTLEMENT_PAGE, type Witness } from '../ledger/creditSink.ts';
import { payablePage } from '../rules/payablePage.ts';
import type { ArchivedBatch } from './batchArchive.ts';

/** A batch with its pages as they stand in the transaction, also those that no node reads. */
export type OpenedBatch = ArchivedBatch & { readonly pages: readonly Uint8Array[] };

type BatchProof = { batchIndex: bigint; header: ArchivedBatch['header']; settlements: readonly Settlement[] };
type PageProof = { index: bigint; page: Hex; path: readonly Hex[] };

/** The arguments of RewardDisputes.challengeReceipt, as RewardRecompute takes them. */
export type Evidence = {
  readonly batch: BatchProof;
  readonly page: PageProof;
  readonly training: { readonly batch: BatchProof; readonly page: PageProof; readonly output: bigint };
  readonly lastServed: bigint;
};

/** One source's fee weights over a batch: RewardRecompute.scan, page by page. */
export type Scan = {
  readonly batch: BatchProof;
  readonly sourceKind: number;
  readonly sourceId: bigint;
  readonly target: bigint;
  readonly pages: readonly PageProof[];
};

const noPage: PageProof = { index: 0n, page: '0x', path: [] };
const noBatch: BatchProof = {
  batchIndex: 0n,
  header: {
    previousHead: zeroHash,
    runner: zeroAddress,
    blockNumber: 0n,
    pageCount: 0,
    pagesRoot: zeroHash,
    settlementsHash: zeroHash,
  },
  settlements: [],
};

const noTraining = { batch: noBatch, page: noPage, output: 0n };

const batchProof = ({ index, header, settlements }: OpenedBatch): BatchProof => ({
  batchIndex: BigInt(index),
  header,
  settlements,
});

const pageProofOf = ({ pages }: OpenedBatch, index: number): PageProof => {
  const page = pages[index];
  return page ? { index: BigInt(index), page: bytesToHex(page), path: pageProof(pages, index) } : noPage;
};

type Source = { readonly kind: number; readonly id: bigint };

/** The source of an output that may be paid for; undefined where there is no such output. */
const sourceAt = (batch: OpenedBatch, { page, output }: Receipt): Source | undefined => {
  if (page === SETTLEMENT_PAGE) {
    const settlement = batch.settlements[output];
    return settlement && { kind: settlement.sourceKind, id: settlement.sourceId };
  }
  const bytes = batch.pages[page];
  if (!bytes) return undefined;
  try {
    const decoded = payablePage(bytes) ? decodePage(bytes) : undefined;
    if (!decoded || output >= decoded.size) return undefined;
    return { kind: decoded.sourceKinds[output] as number, id: BigInt(decoded.sourceIds[output] as number) };
  } catch {
    // A page that doesn't decode has no outputs; the contract finds the same.
    return undefined;
  }
};

/** What a dispute about one receipt brings along, and the scans that have to come first. */
export const evidenceOf = (
  receipt: Receipt,
  /** Left out where there is no such batch: the contract knows that itself. */
  batch: OpenedBatch | undefined,
  witness?: Witness,
  training?: OpenedBatch,
): { evidence: Evidence; scans: Scan[] } => {
  const scans: Scan[] = [];
  if (!batch) {
    const batchIndex = BigInt(receipt.batch);
    return {
      scans,
      evidence: { batch: { ...noBatch, batchIndex }, page: noPage, training: noTraining, lastServed: 0n },
    };
  }
  const scan = (opened: OpenedBatch, place: Receipt, source: Source | undefined) => {
    const settled = opened.settlements.some(
      ({ sourceKind, sourceId }) => sourceKind === source?.kind && sourceId === source.id,
    );
    if (!source || !settled) return;
    scans.push({
      batch: batchProof(opened),
      sourceKind: source.kind,
      sourceId: source.id,
      target: BigInt(place.page === SETTLEMENT_PAGE ? 0 : place.page),
      pages: opened.pages.map((_, index) => pageProofOf(opened, index)),
    });
  };
  scan(batch, receipt, sourceAt(batch, receipt));
  const trained = witness?.training;
  // A training settles itself and nothing else.
  const job = training?.settlements.find(({ sourceKind }) => sourceKind === batchSourceKinds.trainingJob);
  if (training && trained && job) {
    scan(training, trained, { kind: batchSourceKinds.trainingJob, id: job.sourceId });
  }
  return {
    scans,
    evidence: {
      batch: batchProof(batch),
      page: receipt.page === SETTLEMENT_PAGE ? noPage : pageProofOf(batch, receipt.page),
      training:
        training && trained
          ? {
              batch: batchProof(training),
              page: pageProofOf(training, trained.page),
              output: BigInt(trained.output),
            }
          : noTraining,
      lastServed: BigInt(witness?.lastServed ?? 0),
    },
  };
};
