import type { BatchOutput } from '@openledger/contracts';
import { isOpenLedgerError } from '@openledger/kit';
import { hexToString, stringToHex } from 'viem';
import type { RunnerView } from '../chain/runnerView.ts';
import { evaluationSuite, trainingOutputs } from '../jobs/commitTraining.ts';
import { workOf } from '../jobs/runTraining.ts';
import type { Trainer, TrainResult } from '../jobs/training.ts';
import { influenceOf } from '../jobs/trainingReport.ts';
import type { ContentStore } from '../store/contentStore.ts';
import type { ModelLocator } from '../store/modelLocator.ts';
import { filesOfTraining } from './auditedFiles.ts';
import type { TranscriptSource } from './auditedRunner.ts';
import { sameRows } from './checkAnswer.ts';
import { fetchAdapter } from './fetchAdapter.ts';
import { differs, type Finding, matches } from './finding.ts';
import { sameQuality } from './tolerances.ts';
import { parseAdapterFiles } from './transcript.ts';

export type TrainingCheckModules = {
  view: RunnerView;
  store: ContentStore;
  models: ModelLocator;
  trainer: Trainer;
  workPrefix: string;
};

/** Of a training's record: what may differ between machines. All else follows from the job. */
const MACHINE_FIELDS = ['engine', 'general'] as const;

/**
 * Trains again. A machine of the same kind, with the same versions of everything, must come to the same bits; another one to an
 * adapter that is as good in every suite, within the tolerance. What is paid by, the tokens of each contribution, is the same on all.
 * @throws PEER_*, and JOB_NOT_HERE or ENGINE_* where this machine can't train it
 */
export const checkTraining = async (
  output: BatchOutput,
  runner: TranscriptSource,
  modules: TrainingCheckModules,
  signal?: AbortSignal,
): Promise<Finding> => {
  const { view, store, trainer, workPrefix } = modules;
  const job = view.jobs.get(output.sourceId);
  if (job?.status !== 'committed') return differs(`there is no training of job ${output.sourceId}`);
  const parent = view.models.get(job.modelId);
  const shown = (await runner.transcript()) as { adapter?: unknown; parent?: unknown } | null;
  const record = output.promptHash.slice(2);
  try {
    if (parseAdapterFiles(shown?.adapter).record !== record) return differs('it names another record than the chain');
    await runner.fetchInto(store, [record]);
    if (parent && parent.parentId !== 0n && !modules.models.hasAdapter(parent.weightsHash.slice(2))) {
      await fetchAdapter(parent, parseAdapterFiles(shown?.parent), runner, modules);
    }
  } catch (error) {
    if (isOpenLedgerError(error, 'TRANSCRIPT_INVALID')) return differs(error.message);
    throw error;
  }
  await runner.fetchInto(store, filesOfTraining(job, view));
  const work = await workOf(job, `${workPrefix}-audit-${job.id}`, modules);
  const { result, adapter } = await trainer(work, { onEvent: () => {}, ...(signal ? { signal } : {}) });
  const ours = trainingOutputs(job, adapter, result).find(({ nonce }) => nonce === output.nonce);
  if (!ours || ours.outputTokens !== output.outputTokens || !sameRows(ours.rows, output.rows)) {
    return differs('other tokens of the contributions are learnt from');
  }
  const claimed = await influenceOf(view.models.get(job.adapterId), store);
  if (claimed?.lambdaBps !== result.influence?.lambda_bps)
    return differs('influence weighs otherwise than was asked for');
  if (ours.outputHash === output.outputHash) {
    return claimed?.root === result.influence?.root
      ? matches('the same weights, bit for bit')
      : differs('another influence of the contributions from the same weights');
  }
  const [theirs, mine] = [await readRecord(record, store), await readRecord(adapter.record, store)];
  if (theirs.job !== mine.job) return differs('its record is of another training');
  if (theirs.machine === mine.machine) return differs('other weights from the same record on the same kind of machine');
  return compareQuality(job.adapterId, result, view);
};

/** A record in two parts, as text: what follows from the job, and what the machine brought. */
const readRecord = async (hash: string, store: ContentStore): Promise<{ job: string; machine: string }> => {
  const record = JSON.parse(Buffer.from(await store.get(hash)).toString('utf8')) as Record<string, unknown>;
  const machine = JSON.stringify(MACHINE_FIELDS.map((name) => record[name]));
  for (const name of MACHINE_FIELDS) delete record[name];
  return { job: JSON.stringify(record), machine };
};

const compareQuality = (adapterId: bigint, result: TrainResult, view: RunnerView): Finding => {
  const recorded = view.evaluations.get(adapterId) ?? [];
  for (const evaluation of result.evaluations) {
    const suite = evaluationSuite(evaluation);
    const theirs = recorded.find((one) => one.suite === stringToHex(suite, { size: 32 }));
    // Without text for a suite nothing was measured.
    if (evaluation.count === 0) continue;
    const isError = evaluation.metric === 'error';
    if (!theirs || !sameQuality(theirs.modelLossMicros, BigInt(evaluation.model_micros), isError)) {
      const said = theirs ? theirs.modelLossMicros.toString() : 'nothing';
      return differs(`${suite}: ${evaluation.model_micros} here, ${said} there`);
    }
  }
  const suites = recorded.map(({ suite }) => hexToString(suite, { size: 32 }));
  return matches(`as good in ${suites.join(', ')}; the machine is of another kind`);
};
