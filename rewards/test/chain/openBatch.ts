import { type ArchivedBatch, readBatches } from '../../src/challenge/batchArchive.ts';
import { type Evidence, evidenceOf, type OpenedBatch, type Scan } from '../../src/challenge/evidence.ts';
import { findWitness } from '../../src/challenge/findWitness.ts';
import type { Receipt } from '../../src/ledger/creditSink.ts';
import type { PlayedChain } from './playChain.ts';

/** Evidence for a receipt, with the pages that the test sent itself. */
export const evidenceFor = async (
  chain: PlayedChain,
  platform: `0x${string}`,
  receipt: Receipt,
): Promise<{ evidence: Evidence; scans: Scan[] }> => {
  const reader = await chain.reader();
  const witness = await findWitness(reader, receipt, { platform });
  const wanted = new Set([receipt.batch, ...(witness?.training ? [witness.training.batch] : [])]);
  const batches = await readBatches(reader, wanted, platform);
  const open = (index: number): OpenedBatch | undefined => {
    const batch: ArchivedBatch | undefined = batches.get(index);
    return batch && { ...batch, pages: chain.pagesByBatch.get(index) ?? [] };
  };
  return evidenceOf(
    receipt,
    open(receipt.batch),
    witness,
    witness?.training ? open(witness.training.batch) : undefined,
  );
};
