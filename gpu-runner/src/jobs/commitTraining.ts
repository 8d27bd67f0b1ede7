import { contracts } from '@openledger/client';
import { batchMethods, batchSourceKinds, encodePages, jobsAbi } from '@openledger/contracts';
import { bytesToHex, type Hex, parseEventLogs, stringToHex } from 'viem';
import type { Job } from '../chain/runnerView.ts';
import type { Sender } from '../chain/transactor.ts';
import { runnerError } from '../errors.ts';
import type { ContentStore } from '../store/contentStore.ts';
import { adapterName } from './jobParams.ts';
import type { Evaluation, TrainingOutcome, TrainResult } from './training.ts';

/** Puts the adapter, its evaluations and its attribution on chain, in one transaction. Returns the adapter's model id. */
export const commitTraining = async (
  job: Job,
  attempt: number,
  { result, adapter }: TrainingOutcome,
  { store, transactor }: { store: ContentStore; transactor: Sender },
): Promise<bigint> => {
  const weightsHash: Hex = `0x${adapter.weights}`;
  const configHash: Hex = `0x${adapter.record}`;
  const { evaluations, loss_curve, validation_curve, warnings, dataset_root } = result;
  const report = { job: job.id.toString(), dataset_root, evaluations, loss_curve, validation_curve, warnings };
  const reportHash: Hex = `0x${await store.put(Buffer.from(JSON.stringify(report)))}`;
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
        evaluations: evaluations.map((evaluation) => onChain(evaluation, reportHash)),
      },
      trainingPages(job, weightsHash, configHash, result),
    ],
  });
  const [committed] = parseEventLogs({ abi: jobsAbi, eventName: 'JobCommitted', logs: receipt.logs });
  if (!committed) throw runnerError('JOB_SUPERSEDED', `job ${job.id} was not committed`);
  return committed.args.modelId;
};

/** A suite of right and wrong answers is recorded by its 0-1 loss, in millionths an item, under a name that says so. */
const onChain = ({ suite, metric, ...figures }: Evaluation, reportHash: Hex) => ({
  suite: stringToHex(metric === 'error' ? `task:${suite}` : suite, { size: 32 }),
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
const trainingPages = (job: Job, weightsHash: Hex, configHash: Hex, result: TrainResult): Hex[] => {
  const rows = Object.entries(result.tokens_by_contribution)
    .map(([id, tokens]) => ({ contributionId: BigInt(id), weight: BigInt(tokens) }))
    .filter(({ weight }) => weight > 0n)
    .sort((a, b) => (a.contributionId < b.contributionId ? -1 : 1));
  const parts = Math.max(1, Math.ceil(rows.length / ROWS_PER_OUTPUT));
  const outputs = Array.from({ length: parts }, (_, part) => {
    const own = rows.slice(part * ROWS_PER_OUTPUT, (part + 1) * ROWS_PER_OUTPUT);
    return {
      modelId: job.modelId,
      sourceKind: batchSourceKinds.trainingJob,
      sourceId: job.id,
      promptHash: configHash,
      outputHash: weightsHash,
      promptTokens: 0,
      outputTokens: part === 0 ? result.train_tokens : 0,
      feeWeight: own.reduce((sum, { weight }) => sum + weight, 0n) || 1n,
      method: batchMethods.trainingTokens,
      nonce: BigInt(part),
      rows: own,
    };
  });
  return encodePages(outputs).map((page) => bytesToHex(page));
};
