import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { contracts } from '@openledger/client';
import { isOpenLedgerError, type Logger } from '@openledger/kit';
import type { RunnerView } from '../chain/runnerView.ts';
import type { Sender } from '../chain/transactor.ts';
import type { Engine } from '../engine/engineProcess.ts';
import { runnerError } from '../errors.ts';
import type { ContentStore } from '../store/contentStore.ts';
import { cutReason } from './cutReason.ts';
import { formatName, MAX_FILE_BYTES } from './formats.ts';

type Verdict = { accepted: boolean; score?: number; reason?: string; message?: string };

/**
 * Decides about one submitted file and says so on chain: accepted with a score, or rejected with the reason. Safe to run
 * again: a contribution that is already decided is left alone. @throws FILE_UNKNOWN while the file isn't uploaded
 */
export const validateContribution = async (
  contributionId: bigint,
  modules: { view: RunnerView; store: ContentStore; engine: Engine; transactor: Sender; log: Logger },
): Promise<Verdict | undefined> => {
  const { view, store, engine, transactor, log } = modules;
  const contribution = view.contributions.get(contributionId);
  if (contribution?.status !== 'pending' || !view.isReviewer(contribution.datanetId, transactor.address))
    return undefined;
  const hash = contribution.contentHash.slice(2);
  if (!store.has(hash)) throw runnerError('FILE_UNKNOWN', `file of contribution ${contributionId} is not uploaded`);
  // Whoever registered a text first has it: files that were submitted earlier count although they aren't decided yet.
  const known = view
    .priorFiles(contribution)
    .filter((other) => store.has(other.contentHash.slice(2)))
    .map((other) => ({
      contribution_id: other.id.toString(),
      path: store.path(other.contentHash.slice(2)),
    }));
  const folder = await mkdtemp(join(tmpdir(), 'openledger-validate-'));
  let verdict: Verdict;
  try {
    const format = formatName(contribution.format);
    const path = join(folder, `file.${format}`);
    await store.copyTo(hash, path);
    verdict = await engine.request<Verdict>('validate_file', { path, format, max_bytes: MAX_FILE_BYTES, known });
  } catch (error) {
    // Only the file can be at fault for the contributor; anything else refused is our own mistake and is tried again.
    if (!isOpenLedgerError(error)) throw error;
    const unreadable = error.code === 'ENGINE_REFUSED' && error.meta.code === 'bad_file';
    // Tried once only: it would hold the engine up again.
    if (error.code === 'ENGINE_TIMEOUT') verdict = { accepted: false, reason: 'too_complex' };
    else if (unreadable) verdict = { accepted: false, reason: String(error.meta.reason ?? error.message) };
    else throw error;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  await decide(contributionId, verdict, transactor);
  log.info({ contribution: contributionId.toString(), ...verdict }, 'contribution decided');
  return verdict;
};

const reasonOf = ({ reason, message }: Verdict): string =>
  cutReason([reason ?? 'rejected', message].filter(Boolean).join(': '));

export const decide = async (contributionId: bigint, verdict: Verdict, transactor: Sender): Promise<void> => {
  try {
    await transactor.send(
      verdict.accepted
        ? // Near duplicates were rejected, so what is accepted is an original.
          { ...contracts.datanets, functionName: 'accept', args: [contributionId, verdict.score ?? 1, 0n] }
        : {
            ...contracts.datanets,
            functionName: 'reject',
            args: [contributionId, reasonOf(verdict)],
          },
    );
  } catch (error) {
    // Someone else has decided meanwhile, or we did before a crash.
    if (!(isOpenLedgerError(error, 'TRANSACTION_REVERTED') && error.meta.error === 'AlreadyDecided')) throw error;
  }
};
