import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EventReader } from '@openledger/event-log';
import type { Difference } from './challenge/findFault.ts';
import type { EpochLedger } from './epoch/computeEpoch.ts';
import { findProposal } from './epoch/epochs.ts';
import type { LedgerRules } from './ledger/ledgerState.ts';
import { writeEpoch } from './publish/epochFiles.ts';
import { openEpoch } from './publish/openEpoch.ts';
import { checkEpoch, differenceOf } from './watch/checkEpoch.ts';

export type Verification = {
  readonly epoch: bigint;
  readonly ok: boolean;
  /** The first thing that differs, with both values: an account's record where the proposer's files are at hand. */
  readonly difference: Difference | undefined;
  readonly ledger: EpochLedger;
};

/**
 * Recomputes a proposed epoch from the event log and compares everything that was committed to.
 * @param published folder of the proposer's files, which tell where the difference is and not only that there is one
 */
export const verifyEpoch = async (options: {
  reader: EventReader;
  chainId: number;
  epoch: bigint;
  rules: LedgerRules;
  published?: string | undefined;
}): Promise<Verification> => {
  const { reader, chainId, rules, epoch: number } = options;
  const proposal = await findProposal(reader, number);
  const working = mkdtempSync(join(tmpdir(), 'openledger-verify-'));
  try {
    const { fromBlock, toBlock } = proposal;
    const { epoch, folder } = await writeEpoch({ reader, chainId, rules, fromBlock, toBlock }, working);
    const own = openEpoch(folder);
    const theirs = options.published === undefined ? undefined : openEpoch(options.published);
    try {
      const honest = { epoch, trace: own.trace, nodes: own.nodes };
      const fault = checkEpoch(proposal, honest, theirs);
      const difference = differenceOf(proposal, honest, fault);
      return { epoch: number, ok: difference === undefined, difference, ledger: epoch };
    } finally {
      own.close();
      theirs?.close();
    }
  } finally {
    rmSync(working, { recursive: true, force: true });
  }
};
