import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Address } from 'viem';
import type { ChainAccess } from '../chainAccess.ts';
import { type ArchivedBatch, readBatches } from '../challenge/batchArchive.ts';
import { type Call, challengeCall, scanCall } from '../challenge/challengeCalls.ts';
import { evidenceOf, type OpenedBatch, type Scan } from '../challenge/evidence.ts';
import type { Fault, Honest } from '../challenge/findFault.ts';
import type { Window } from '../challenge/findTraceFault.ts';
import { findWitness } from '../challenge/findWitness.ts';
import { recomputeCall } from '../contractCalls.ts';
import { type Proposal, readEpochs } from '../epoch/epochs.ts';
import { writeEpoch } from '../publish/epochFiles.ts';
import { openEpoch } from '../publish/openEpoch.ts';
import { accountEnd } from '../trace/accountEnd.ts';
import { placeOf } from '../trace/format.ts';

/** Bytes of pages that one scan takes: reading them on chain costs up to about 500 gas a byte. */
const SCAN_BYTES = 12_288;

/** Sends what a fault's challenge needs first, and returns the challenge itself. */
export const proveFault = async (
  access: ChainAccess,
  { epoch }: Proposal,
  fault: Exclude<Fault, { kind: 'request' }>,
  honest: Honest,
): Promise<Call> => {
  if (fault.kind === 'missing') {
    const end = accountEnd(honest.trace, Number(honest.epoch.records), fault.account);
    return challengeCall(epoch, fault, { end });
  }
  if (fault.kind !== 'record') return challengeCall(epoch, fault, {});
  if (fault.receipt === 0n) {
    return challengeCall(epoch, fault, { previous: await previousEnd(access, epoch, fault.account) });
  }
  const receipt = placeOf(fault.receipt);
  const witness = await findWitness(access.reader, receipt, access.rules);
  const wanted = new Set([receipt.batch, ...(witness?.training ? [witness.training.batch] : [])]);
  const batches = await readBatches(access.reader, wanted, access.rules.platform);
  const open = async (index: number): Promise<OpenedBatch | undefined> => {
    const batch: ArchivedBatch | undefined = batches.get(index);
    return batch && { ...batch, pages: await access.pages(batch) };
  };
  const training = witness?.training ? await open(witness.training.batch) : undefined;
  const { evidence, scans } = evidenceOf(receipt, await open(receipt.batch), witness, training);
  for (const scan of scans) await finishScan(access, scan);
  return challengeCall(epoch, fault, { evidence });
};

/** Carries a scan on from where somebody has left it. */
const finishScan = async (access: ChainAccess, scan: Scan): Promise<void> => {
  const { batch, sourceKind, sourceId, target, pages } = scan;
  const call = recomputeCall('scanned', batch.batchIndex, sourceKind, sourceId, target);
  const { next } = (await access.read(call)) as { next: bigint };
  for (let from = Number(next); from < pages.length; ) {
    let to = from + 1;
    let bytes = pages[from]?.page.length ?? 0;
    while (to < pages.length && bytes + (pages[to]?.page.length ?? 0) <= 2 * SCAN_BYTES) {
      bytes += pages[to++]?.page.length ?? 0;
    }
    await access.send(scanCall(scan, from, to));
    from = to;
  }
};

/** The account's end in the trace of the final epoch before; undefined when there is none. */
const previousEnd = async (access: ChainAccess, epoch: bigint, account: Address): Promise<Window | undefined> => {
  const { reader, chainId, rules } = access;
  const before = [...(await readEpochs(reader)).values()].filter(
    (other) => other.status === 'final' && other.epoch < epoch,
  );
  const previous = before.at(-1);
  if (!previous) return undefined;
  const working = mkdtempSync(join(tmpdir(), 'openledger-epoch-'));
  try {
    const { fromBlock, toBlock } = previous;
    const { epoch: computed, folder } = await writeEpoch({ reader, chainId, rules, fromBlock, toBlock }, working);
    const opened = openEpoch(folder);
    try {
      return accountEnd(opened.trace, Number(computed.records), account);
    } finally {
      opened.close();
    }
  } finally {
    rmSync(working, { recursive: true, force: true });
  }
};
