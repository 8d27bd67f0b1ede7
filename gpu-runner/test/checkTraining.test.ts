import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { priorRoot } from '@openledger/client';
import type { BatchOutput } from '@openledger/contracts';
import { type Hex, stringToHex } from 'viem';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkTraining } from '../src/audit/checkTraining.ts';
import type { RunnerView } from '../src/chain/runnerView.ts';
import type { EngineProcess } from '../src/engine/engineProcess.ts';
import { evaluationSuite, trainingOutputs } from '../src/jobs/commitTraining.ts';
import { localTrainer } from '../src/jobs/localTrainer.ts';
import { workOf } from '../src/jobs/runTraining.ts';
import type { Trainer, TrainingOutcome } from '../src/jobs/training.ts';
import { reportOf } from '../src/jobs/trainingReport.ts';
import { ContentStore, hashFile } from '../src/store/contentStore.ts';
import { ModelLocator } from '../src/store/modelLocator.ts';
import {
  accepted,
  adapterRegistered,
  baseRegistered,
  claimed,
  event,
  low,
  published,
  requested,
  runner,
  submitted,
  tell,
  viewOf,
} from './support/chainEvents.ts';
import { tempFolder } from './support/database.ts';
import { makeTinyBase, startRealEngine } from './support/realEngine.ts';

const PARAMS = {
  rank: 2,
  batch_size: 2,
  max_length: 32,
  max_steps: 2,
  checkpoint_steps: 0,
  replay_share: 0,
  influence_lambda_bps: 4_000,
  name: 'x',
};
const TEXTS = ['The first file says how meters are read.', 'The second says who may break a seal.'].map((text) =>
  `${text} `.repeat(30),
);

/** A training by the real engine, and an auditor with nothing but the base and the chain. */
describe('checkTraining', () => {
  let root: string;
  let engine: EngineProcess;
  let view: RunnerView;
  let trained: TrainingOutcome;
  let output: BatchOutput;
  let theirs: ContentStore;
  let mine: ContentStore;
  let base: string;
  let report: Hex;
  /** What the auditor's training came to: trained once, for all tests that don't ask for more. */
  let again: Promise<TrainingOutcome> | undefined;

  const machine = async (name: string) => {
    const folder = join(root, name);
    mkdirSync(join(folder, 'files'), { recursive: true });
    const store = new ContentStore(join(folder, 'files'));
    const models = await ModelLocator.open(join(folder, 'adapters'), [base]);
    return { store, models, trainer: localTrainer({ store, models, engine, workDir: join(folder, 'work') }) };
  };

  beforeAll(async () => {
    root = tempFolder();
    base = await makeTinyBase(join(root, 'base'));
    engine = await startRealEngine();
    const audited = await machine('audited');
    theirs = audited.store;
    const hashes: Hex[] = [];
    for (const text of TEXTS) hashes.push(`0x${await theirs.put(Buffer.from(text))}`);
    view = viewOf(
      baseRegistered(1n, `0x${await hashFile(join(base, 'model.safetensors'))}`),
      ...[submitted(9n, hashes[0]), submitted(10n, hashes[1]), accepted(9n, 0), accepted(10n, 1), published(2)],
      ...[requested(1n, JSON.stringify(PARAMS)), claimed(1n, 1, 2_000_000_000n)],
    );
    const job = view.jobs.get(1n);
    if (!job) throw new Error('no job');
    trained = await audited.trainer(await workOf(job, 'first', { view, ...audited }), { onEvent: () => {} });
    [output] = trainingOutputs(job, trained.adapter, trained.result) as [BatchOutput];
    report = `0x${await theirs.put(reportOf(1n, trained.result))}`;
    tell(
      view,
      adapterRegistered(7n, 1n, output.outputHash),
      ...trained.result.evaluations.map((evaluation) =>
        event('EvaluationRecorded', {
          ...{ modelId: 7n, suite: stringToHex(evaluationSuite(evaluation), { size: 32 }), tokens: evaluation.count },
          ...{ baseLossMicros: BigInt(evaluation.base_micros), modelLossMicros: BigInt(evaluation.model_micros) },
          ...{ regressed: false, reportHash: report, evaluator: low(runner.address) },
        }),
      ),
      event('JobCommitted', {
        ...{ jobId: 1n, runner: low(runner.address), modelId: 7n, attempt: 1, resultHash: output.outputHash },
      }),
    );
  });
  afterAll(async () => {
    await engine?.close();
    rmSync(root, { recursive: true, force: true });
  });

  const source = (record = trained.adapter.record) => ({
    transcript: async () => ({ kind: 'training', job_id: '1', adapter: { ...trained.adapter, record } }),
    fetchInto: async (store: ContentStore, wanted: readonly string[]) => {
      for (const hash of wanted) if (!store.has(hash)) await store.put(await theirs.get(hash));
    },
  });
  const check = async (changes: Partial<BatchOutput> = {}, record?: string) => {
    const auditor = await machine('auditor');
    mine = auditor.store;
    const trainer: Trainer = (work, options) => {
      again ??= auditor.trainer(work, options);
      return again;
    };
    return checkTraining({ ...output, ...changes }, source(record), { view, ...auditor, trainer, workPrefix: 'test' });
  };
  /** A record as another machine would have written it, in the audited runner's store. */
  const otherRecord = async (changes: Record<string, unknown>): Promise<string> => {
    const record = JSON.parse(Buffer.from(await theirs.get(trained.adapter.record)).toString('utf8'));
    return theirs.put(Buffer.from(JSON.stringify({ ...record, ...changes })));
  };

  it('comes to the same weights, bit for bit, with files from the audited runner', async () => {
    expect(await check()).toEqual({ finding: 'matches', detail: expect.stringMatching(/bit for bit/) });
    expect(mine.has(trained.adapter.record)).toBe(true);
  });

  it('finds another influence of the contributions', async () => {
    const { influence } = trained.result;
    const [first, second] = influence?.prior ?? [];
    if (!influence || !first || !second) throw new Error('no influence was measured');
    const model = view.models.get(7n);
    if (!model) throw new Error('no adapter');
    const swapped = [
      { contribution_id: first.contribution_id, weight: second.weight },
      { contribution_id: second.contribution_id, weight: first.weight },
    ];
    const root = priorRoot(new Map(swapped.map((row) => [row.contribution_id, row.weight])));
    const forged = [
      [{ ...influence, prior: swapped, root }, /another influence/],
      [{ ...influence, lambda_bps: 9_000 }, /otherwise/],
      [undefined, /otherwise/],
    ] as const;
    for (const [claimed, reason] of forged) {
      const { influence: _, ...result } = trained.result;
      const bytes = reportOf(1n, { ...result, ...(claimed ? { influence: claimed } : {}) });
      model.reportHash = `0x${await theirs.put(bytes)}`;
      expect(await check()).toEqual({ finding: 'differs', detail: expect.stringMatching(reason) });
    }
    model.reportHash = report;
  });

  it('finds other weights of the same record, and other tokens', async () => {
    const otherWeights: Hex = `0x${'ab'.repeat(32)}`;
    expect(await check({ outputHash: otherWeights })).toMatchObject({
      finding: 'differs',
      detail: expect.stringMatching(/same kind/),
    });
    const [first, ...rest] = output.rows;
    if (!first) throw new Error('no rows');
    const rows = [{ ...first, weight: first.weight + 1n }, ...rest];
    expect(await check({ rows })).toMatchObject({ finding: 'differs', detail: expect.stringMatching(/tokens/) });
    expect(await check({ outputTokens: output.outputTokens + 1 })).toMatchObject({ finding: 'differs' });
  });

  it('takes another kind of machine by its quality, and no other training', async () => {
    const otherWeights: Hex = `0x${'ab'.repeat(32)}`;
    const elsewhere = await otherRecord({ engine: { device: 'cuda' } });
    const there = { outputHash: otherWeights, promptHash: `0x${elsewhere}` as Hex };
    expect(await check(there, elsewhere)).toEqual({ finding: 'matches', detail: expect.stringMatching(/as good/) });
    const otherSeed = await otherRecord({ engine: { device: 'cuda' }, seed: 99 });
    const changed = { outputHash: otherWeights, promptHash: `0x${otherSeed}` as Hex };
    expect(await check(changed, otherSeed)).toMatchObject({
      finding: 'differs',
      detail: expect.stringMatching(/another training/),
    });
    const honest = view.evaluations.get(7n) ?? [];
    view.evaluations.set(
      7n,
      honest.map((one) => ({ ...one, modelLossMicros: (one.modelLossMicros * 9n) / 10n })),
    );
    expect(await check(there, elsewhere)).toMatchObject({
      finding: 'differs',
      detail: expect.stringMatching(/domain/),
    });
    view.evaluations.set(7n, honest);
  });

  it('finds a runner that names another record', async () => {
    expect(await check({}, 'cd'.repeat(32))).toMatchObject({ finding: 'differs' });
  });
});
