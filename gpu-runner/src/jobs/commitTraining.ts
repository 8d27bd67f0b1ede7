import { contracts } from '@openledger/client';
import {
  type BatchOutput,
  batchMethods,
  batchSourceKinds,
  encodePages,
  jobsAbi,
  outputIdOf,
} from '@openledger/contracts';
import { bytesToHex, type Hex, parseEventLogs, stringToHex } from 'viem';
import type { Transcripts } from '../audit/transcripts.ts';
import type { Job } from '../chain/runnerView.ts';
import type { Sender } from '../chain/transactor.ts';
import { runnerError } from '../errors.ts';
import type { ContentStore } from '../store/contentStore.ts';
import { adapterName } from './jobParams.ts';
import type { AdapterFiles, Evaluation, TrainingOutcome, TrainResult } from './training.ts';
import { reportOf } from './trainingReport.ts';

/** Puts the adapter, its evaluations and its attribution on chain, in one transaction. Returns the adapter's model id. */
export const commitTraining = async (
  job: Job,
  attempt: number,
  { result, adapter }: TrainingOutcome,
  modules: {
    store: ContentStore;
    transactor: Sender;
    transcripts: Pick<Transcripts, 'keepTraining'>;
    parent?: AdapterFiles;
  },
): Promise<bigint> => {
  const { store, transactor, transcripts, parent } = modules;
  const weightsHash: Hex = `0x${adapter.weights}`;
  const configHash: Hex = `0x${adapter.record}`;
  const outputs = trainingOutputs(job, adapter, result);
  await transcripts.keepTraining(outputs.map(outputIdOf), {
    kind: 'training',
    job_id: job.id.toString(),
    adapter,
    ...(parent ? { parent } : {}),
  });
  const reportHash: Hex = `0x${await store.put(reportOf(job.id, result))}`;
  const receipt = await transactor.send({
    ...contracts.jobs,
    functionName: 'commitTraining',
    args: [
      job.id,
      attempt,
      {
        weightsHash,
        configHash,
        name: adapterName(job),
        evaluations: result.evaluations.map((evaluation) => onChain(evaluation, reportHash)),
      },
      encodePages(outputs).map((page) => bytesToHex(page)),
    ],
  });
  const [committed] = parseEventLogs({ abi: jobsAbi, eventName: 'JobCommitted', logs: receipt.logs });
  if (!committed) throw runnerError('JOB_SUPERSEDED', `job ${job.id} was not committed`);
  return committed.args.modelId;
};

/** A suite of right and wrong answers is recorded by its 0-1 loss, in millionths an item, under a name that says so. */
export const evaluationSuite = ({ suite, metric }: Pick<Evaluation, 'suite' | 'metric'>): string =>
  metric === 'error' ? `task:${suite}` : suite;

const onChain = (figures: Evaluation, reportHash: Hex) => ({
  suite: stringToHex(evaluationSuite(figures), { size: 32 }),
  baseLossMicros: BigInt(figures.base_micros),
  modelLossMicros: BigInt(figures.model_micros),
  tokens: figures.count,
  regressed: figures.regressed,
  reportHash,
});

/** Rows of one output: what a dispute about it can look up on chain; one with more is not paid (docs/spec/rewards-ledger.md). */
const ROWS_PER_OUTPUT = 512;

/**
 * The adapter as an output, attributed to the contributions by the tokens that were trained on. One with very many
 * contributions is written as several outputs that share the fee by their tokens.
 */
export const trainingOutputs = (job: Job, adapter: AdapterFiles, result: TrainResult): BatchOutput[] => {
  const rows = Object.entries(result.tokens_by_contribution)
    .map(([id, tokens]) => ({ contributionId: BigInt(id), weight: BigInt(tokens) }))
    .filter(({ weight }) => weight > 0n)
    .sort((a, b) => (a.contributionId < b.contributionId ? -1 : 1));
  const parts = Math.max(1, Math.ceil(rows.length / ROWS_PER_OUTPUT));
  return Array.from({ length: parts }, (_, part) => {
    const own = rows.slice(part * ROWS_PER_OUTPUT, (part + 1) * ROWS_PER_OUTPUT);
    return {
      modelId: job.modelId,
      sourceKind: batchSourceKinds.trainingJob,
      sourceId: job.id,
      promptHash: `0x${adapter.record}` as const,
      outputHash: `0x${adapter.weights}` as const,
      promptTokens: 0,
      outputTokens: part === 0 ? result.train_tokens : 0,
      feeWeight: own.reduce((sum, { weight }) => sum + weight, 0n) || 1n,
      method: batchMethods.trainingTokens,
      nonce: BigInt(part),
      rows: own,
    };
  });
};
