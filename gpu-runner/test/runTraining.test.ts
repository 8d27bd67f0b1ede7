import { existsSync, mkdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { contracts } from '@openledger/client';
import { decodePage, jobsAbi, outputIdOf, outputsOf } from '@openledger/contracts';
import { silentLogger } from '@openledger/kit';
import { type Abi, type Hex, hexToBytes, stringToHex } from 'viem';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { TrainingTranscript } from '../src/audit/transcript.ts';
import type { RunnerView } from '../src/chain/runnerView.ts';
import { runnerError } from '../src/errors.ts';
import { LeaseKeeper } from '../src/jobs/leaseKeeper.ts';
import { localTrainer } from '../src/jobs/localTrainer.ts';
import { runTraining, type TrainingModules } from '../src/jobs/runTraining.ts';
import type { TrainingEvent } from '../src/jobs/training.ts';
import { ContentStore, sha256Of } from '../src/store/contentStore.ts';
import { ModelLocator } from '../src/store/modelLocator.ts';
import {
  accepted,
  adapterRegistered,
  baseRegistered,
  claimed,
  event,
  low,
  payer,
  published,
  requested,
  runner,
  stranger,
  submitted,
  tell,
  viewOf,
} from './support/chainEvents.ts';
import { tempFolder } from './support/database.ts';
import { engineError, ScriptedEngine } from './support/scriptedEngine.ts';
import { logOf, reverted, ScriptedSender } from './support/scriptedSender.ts';

const NOW = 1_800_000_000n;
const RENEWAL_MS = 100_000;
const WEIGHTS = sha256Of(Buffer.from('trained weights'));
const CONFIG = sha256Of(Buffer.from('{"record":1}'));
const losses = (suite: string, base: number, model: number) => ({
  suite,
  metric: 'loss',
  base_micros: base,
  model_micros: model,
  count: 9,
  difference_low_micros: model - base - 10,
  difference_high_micros: model - base + 10,
  regressed: model > base,
});

type Evaluation = { suite: Hex; regressed: boolean; baseLossMicros: bigint; reportHash: Hex };
type Training = { weightsHash: Hex; configHash: Hex; name: string; evaluations: Evaluation[] };
type Commit = [bigint, number, Training, Hex[]];

describe('runTraining', () => {
  let root: string;
  let view: RunnerView;
  let store: ContentStore;
  let modules: TrainingModules;
  let engine: ScriptedEngine;
  let sender: ScriptedSender;
  let result: Record<string, unknown>;
  let progress: TrainingEvent[];
  let pausedJobs: Set<bigint>;
  let kept: [readonly Hex[], TrainingTranscript][];

  beforeEach(async () => {
    root = tempFolder();
    const base = join(root, 'base');
    mkdirSync(base);
    writeFileSync(join(base, 'model.safetensors'), 'base weights');
    store = new ContentStore(join(root, 'files'));
    mkdirSync(join(root, 'files'));
    const hashes: Hex[] = [];
    for (const text of ['first', 'second']) hashes.push(`0x${await store.put(Buffer.from(text))}`);
    view = viewOf(
      baseRegistered(1n, `0x${sha256Of(Buffer.from('base weights'))}`),
      submitted(9n, hashes[0]),
      submitted(10n, hashes[1]),
      accepted(10n, 0),
      accepted(9n, 1),
      published(2),
      requested(1n),
    );
    result = {
      weights_sha256: WEIGHTS,
      config_sha256: CONFIG,
      steps: 2,
      train_tokens: 30,
      loss_curve: [{ step: 1, loss: 2.5 }],
      // Object keys that look like numbers come in no useful order, and big counts come as bigint.
      tokens_by_contribution: { 10: 5_000_000_000n, 9: 10, 11: 0 },
      validation_curve: [],
      evaluations: [
        losses('domain', 2_000_000, 1_000_000),
        losses('general', 1_000_000, 1_050_000),
        { ...losses('sums', 250_000, 200_000), metric: 'error' },
      ],
      warnings: [],
      dataset_root: 'ab',
      seconds: 1,
    };
    engine = new ScriptedEngine({
      train: ({ output }, { onEvent }) => {
        const written = {
          'adapter_model.safetensors': 'trained weights',
          'adapter_config.json': '{}',
          'record.json': '{"record":1}',
        };
        for (const [name, text] of Object.entries(written)) writeFileSync(join(String(output), name), text);
        onEvent?.({ event: 'log', data: { message: 'hello' } });
        onEvent?.({ event: 'progress', data: { step: 1 } });
        return { ...result, output };
      },
    });
    sender = new ScriptedSender({
      claimJob: ({ args }) => [
        logOf(jobsAbi as Abi, 'JobClaimed', {
          jobId: args?.[0],
          runner: runner.address,
          attempt: 1,
          leaseUntil: NOW + 300n,
        }),
      ],
      commitTraining: ({ args }) => [
        logOf(jobsAbi as Abi, 'JobCommitted', {
          jobId: args?.[0],
          runner: runner.address,
          modelId: 7n,
          attempt: args?.[1],
          resultHash: `0x${WEIGHTS}`,
        }),
      ],
    });
    progress = [];
    pausedJobs = new Set();
    kept = [];
    const models = await ModelLocator.open(join(root, 'adapters'), [base]);
    modules = {
      view,
      store,
      models,
      trainer: localTrainer({ store, models, engine, workDir: join(root, 'work') }),
      transactor: sender,
      transcripts: { keepTraining: async (outputIds, transcript) => void kept.push([outputIds, transcript]) },
      leases: new LeaseKeeper({ transactor: sender, log: silentLogger }),
      paused: { has: async (jobId) => pausedJobs.has(jobId) },
      workPrefix: 'test',
      now: () => Number(NOW) * 1000,
      log: silentLogger,
      onEvent: (event) => progress.push(event),
    };
  });
  afterEach(() => {
    vi.useRealTimers();
    rmSync(root, { recursive: true, force: true });
  });

  const names = () => sender.calls.map(({ functionName }) => functionName);
  const committed = () => sender.sent('commitTraining')[0] as unknown as Commit;
  const withParams = (params: string) => tell(view, requested(1n, params));

  it('claims, trains on the version’s files and commits', async () => {
    withParams('{"name":"Poems","rank":4}');
    expect(await runTraining(1n, modules)).toBe(7n);
    expect(names()).toEqual(['claimJob', 'commitTraining']);
    expect(sender.calls[0]).toMatchObject({ address: contracts.jobs.address, args: [1n] });
    const [{ files, params, base, ...rest } = {} as never] = engine.asked('train') as [Record<string, unknown>];
    expect(base).toBe(join(root, 'base'));
    expect(params).toEqual({ rank: 4 });
    expect(rest).toEqual({ heldout_share_bps: 1000, output: expect.any(String) });
    expect(files).toEqual(
      ['first', 'second'].map((text, index) => ({
        contribution_id: `${9 + index}`,
        path: store.path(sha256Of(Buffer.from(text))),
        format: 'txt',
      })),
    );
    expect(progress).toEqual([
      { event: 'log', data: { message: 'hello' } },
      { event: 'progress', data: { step: 1 } },
    ]);
  });

  it('trains though its own folder lay there for longer than such folders are kept', async () => {
    const folder = join(root, 'work', 'test-1');
    mkdirSync(join(folder, 'adapter'), { recursive: true });
    for (const old of [join(folder, 'adapter'), folder]) utimesSync(old, 0, 0);
    withParams('{}');
    expect(await runTraining(1n, modules)).toBe(7n);
  });

  it('commits hashes, name, evaluations and the batch of trained tokens', async () => {
    withParams('{"name":"Poems"}');
    await runTraining(1n, modules);
    const [jobId, attempt, training, pages] = committed();
    const outputIds = pages.flatMap((page) => outputsOf(decodePage(hexToBytes(page))).map(outputIdOf));
    // What an auditor may ask for is there before the chain can draw it.
    expect(kept).toEqual([
      [outputIds, { kind: 'training', job_id: '1', adapter: expect.objectContaining({ record: CONFIG }) }],
    ]);
    expect([jobId, attempt, pages.length]).toEqual([1n, 1, 1]);
    expect(training).toMatchObject({ weightsHash: `0x${WEIGHTS}`, configHash: `0x${CONFIG}`, name: 'Poems' });
    expect(training.evaluations).toMatchObject([
      {
        suite: stringToHex('domain', { size: 32 }),
        baseLossMicros: 2_000_000n,
        modelLossMicros: 1_000_000n,
        tokens: 9,
      },
      { suite: stringToHex('general', { size: 32 }), baseLossMicros: 1_000_000n, regressed: true },
      { suite: stringToHex('task:sums', { size: 32 }), baseLossMicros: 250_000n, modelLossMicros: 200_000n },
    ]);
    expect(outputsOf(decodePage(hexToBytes(pages[0] as Hex)))).toMatchObject([
      {
        modelId: 1n,
        sourceKind: 1,
        sourceId: 1n,
        promptHash: `0x${CONFIG}`,
        outputHash: `0x${WEIGHTS}`,
        promptTokens: 0,
        outputTokens: 30,
        feeWeight: 5_000_000_010n,
        method: 1,
        nonce: 0n,
        rows: [
          { contributionId: 9n, weight: 10n },
          { contributionId: 10n, weight: 5_000_000_000n },
        ],
      },
    ]);
  });

  it('keeps the adapter and everything that the chain names by hash, and clears its work', async () => {
    await runTraining(1n, modules);
    expect(readFileSync(join(root, 'adapters', WEIGHTS, 'adapter_config.json'), 'utf8')).toBe('{}');
    const report = committed()[2].evaluations[0]?.reportHash.slice(2) ?? '';
    expect([WEIGHTS, CONFIG, report].map((hash) => store.has(hash))).toEqual([true, true, true]);
    expect(JSON.parse(Buffer.from(await store.get(report)).toString())).toMatchObject({
      job: '1',
      evaluations: [{ suite: 'domain', count: 9 }, { suite: 'general' }, { metric: 'error' }],
    });
    expect(existsSync(join(root, 'work', 'test-1'))).toBe(false);
  });

  it.each([
    ['', 'adapter-1'],
    ['{"name":""}', 'adapter-1'],
    ['{"name":5}', 'adapter-1'],
    [JSON.stringify({ name: 'ü'.repeat(64) }), 'ü'.repeat(64)],
    [JSON.stringify({ name: 'ü'.repeat(65) }), 'adapter-1'],
  ])('of the parameters %s the adapter is called %s', async (params, name) => {
    withParams(params);
    await runTraining(1n, modules);
    expect(committed()[2].name).toBe(name);
    expect(engine.asked('train')[0]?.params).toEqual({});
  });

  it('refines an adapter, and hands over the general evaluation text', async () => {
    const parent = sha256Of(Buffer.from('parent'));
    mkdirSync(join(root, 'adapters', parent));
    for (const name of ['adapter_model.safetensors', 'adapter_config.json', 'record.json']) {
      writeFileSync(join(root, 'adapters', parent, name), name === 'adapter_model.safetensors' ? 'parent' : '{}');
    }
    writeFileSync(join(root, 'base', 'general.jsonl'), '');
    tell(
      view,
      adapterRegistered(1n, 4n, `0x${parent}`),
      baseRegistered(4n, `0x${sha256Of(Buffer.from('base weights'))}`),
    );
    await runTraining(1n, modules);
    expect(engine.asked('train')[0]).toMatchObject({
      parent_adapter: join(root, 'adapters', parent),
      general_path: join(root, 'base', 'general.jsonl'),
    });
  });

  it('goes on with its own lease after a restart, and renews it before it trains', async () => {
    tell(view, claimed(1n, 2, NOW + 1n));
    expect(await runTraining(1n, modules)).toBe(7n);
    expect(names()).toEqual(['renewLease', 'commitTraining']);
    expect(sender.sent('renewLease')).toEqual([[1n, 2]]);
    expect(committed()[1]).toBe(2);
  });

  it('does not train under a lease that is over, although the view does not know yet', async () => {
    tell(view, claimed(1n, 2, NOW + 100n));
    for (const call of ['renewLease', 'claimJob']) {
      sender.answers[call] = () => {
        throw reverted('WrongStatus');
      };
    }
    await expect(runTraining(1n, modules)).rejects.toMatchObject({ code: 'TRANSACTION_REVERTED' });
    expect([names(), engine.calls]).toEqual([['renewLease', 'claimJob'], []]);
  });

  it('claims anew what ran out by the chain’s clock, although not yet by its own', async () => {
    tell(view, claimed(1n, 2, NOW + 1n));
    sender.answers.renewLease = () => {
      throw reverted('LeaseExpired');
    };
    expect(await runTraining(1n, modules)).toBe(7n);
    expect(names()).toEqual(['renewLease', 'claimJob', 'commitTraining']);
  });

  it.each([
    ['its own that has run out', NOW, runner.address],
    ['another runner’s', NOW + 100n, stranger.address],
  ])('asks for a new lease instead of %s', async (_name, leaseUntil, by) => {
    tell(view, claimed(1n, 2, leaseUntil, by));
    sender.answers.claimJob = () => {
      throw reverted('LeaseRunning');
    };
    await expect(runTraining(1n, modules)).rejects.toMatchObject({ code: 'TRANSACTION_REVERTED' });
    expect(names()).toEqual(['claimJob']);
    expect(engine.calls).toEqual([]);
  });

  it.each([
    [
      'committed',
      event('JobCommitted', {
        jobId: 1n,
        runner: low(runner.address),
        modelId: 7n,
        attempt: 1,
        resultHash: `0x${WEIGHTS}`,
      }),
    ],
    ['refunded', event('JobRefunded', { jobId: 1n, requester: low(payer.address), amount: 5n })],
  ])('has nothing to do for a job that is %s', async (_name, ended) => {
    tell(view, ended);
    expect(await runTraining(1n, modules)).toBeUndefined();
    expect(await runTraining(99n, modules)).toBeUndefined();
    expect(sender.calls).toEqual([]);
  });

  it('renews its lease while it trains, and not after', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const { train } = engine.script;
    let release = () => {};
    const training = new Promise<void>((began) => {
      engine.script.train = async (params, options) => {
        began();
        await new Promise<void>((resolve) => {
          release = resolve;
        });
        return train?.(params, options);
      };
    });
    sender.answers.renewLease = () => {
      throw runnerError('CHAIN_UNAVAILABLE', 'no answer');
    };
    const running = runTraining(1n, modules);
    await training;
    vi.advanceTimersByTime(2 * RENEWAL_MS);
    release();
    expect(await running).toBe(7n);
    vi.advanceTimersByTime(10 * RENEWAL_MS);
    expect(sender.sent('renewLease')).toEqual([
      [1n, 1],
      [1n, 1],
    ]);
  });

  it('does not commit twice or fail the job when it has lost the lease', async () => {
    sender.answers.commitTraining = () => {
      throw reverted('NotLeaseHolder');
    };
    await expect(runTraining(1n, modules)).rejects.toMatchObject({ meta: { error: 'NotLeaseHolder' } });
    expect(names()).toEqual(['claimJob', 'commitTraining']);
  });

  it('gives up for good on an adapter that is registered already: the same training gives the same one', async () => {
    sender.answers.commitTraining = () => {
      throw reverted('WeightsTaken');
    };
    expect(await runTraining(1n, modules)).toBeUndefined();
    expect(sender.sent('failJob')).toEqual([[1n, 1, true, expect.stringContaining('WeightsTaken')]]);
  });

  it.each([
    ['no JSON', () => withParams('{rank'), 'the parameters are not JSON'],
    ['a JSON list', () => withParams('[1]'), 'the parameters are not a JSON object'],
    ['JSON null', () => withParams('null'), 'the parameters are not a JSON object'],
    ['for a version without files', () => tell(view, published(0)), 'no accepted files'],
    [
      'refused by the engine',
      () => {
        engine.script.train = () => {
          throw engineError('bad_params', `rank must be 1 to 256 ${'ü'.repeat(1_000)}`);
        };
      },
      'rank must be 1 to 256',
    ],
  ])('fails a job for good that is %s', async (_name, arrange, reason) => {
    arrange();
    expect(await runTraining(1n, modules)).toBeUndefined();
    expect(names()).toEqual(['claimJob', 'failJob']);
    const [jobId, attempt, permanent, said] = sender.sent('failJob')[0] as [bigint, number, boolean, string];
    expect([jobId, attempt, permanent]).toEqual([1n, 1, true]);
    expect(said).toContain(reason);
    expect(Buffer.byteLength(said)).toBeLessThanOrEqual(1024);
  });

  it.each([
    ['the engine ends', 'ENGINE_EXITED', () => runnerError('ENGINE_EXITED', 'the engine ended')],
    ['the engine breaks', 'ENGINE_FAILED', () => engineError('internal', 'a bug')],
    ['it is called off', 'ENGINE_CANCELLED', () => runnerError('ENGINE_CANCELLED', 'called off')],
  ])('keeps lease and checkpoints for the next try when %s', async (_name, code, failure) => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const { train } = engine.script;
    engine.script.train = ({ output }) => {
      writeFileSync(join(String(output), 'checkpoint'), 'half');
      throw failure();
    };
    await expect(runTraining(1n, modules)).rejects.toMatchObject({ code });
    expect(names()).toEqual(['claimJob']);
    vi.advanceTimersByTime(RENEWAL_MS);
    expect(sender.sent('renewLease')).toEqual([[1n, 1]]);
    tell(view, claimed(1n, 1, NOW + 300n));
    engine.script.train = (params, options) => {
      expect(readFileSync(join(String(params.output), 'checkpoint'), 'utf8')).toBe('half');
      return train?.(params, options);
    };
    expect(await runTraining(1n, modules)).toBe(7n);
    vi.advanceTimersByTime(RENEWAL_MS);
    expect(names()).toEqual(['claimJob', 'renewLease', 'renewLease', 'commitTraining']);
  });

  it('holds the lease of a paused job without training it', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    pausedJobs.add(1n);
    expect(await runTraining(1n, modules)).toBeUndefined();
    vi.advanceTimersByTime(RENEWAL_MS);
    expect(names()).toEqual(['claimJob', 'renewLease']);
    expect(engine.calls).toEqual([]);
  });

  it('refuses an adapter on disk that is not the one the engine told of', async () => {
    const { train } = engine.script;
    engine.script.train = async (params, options) => {
      const answer = await train?.(params, options);
      writeFileSync(join(String(params.output), 'adapter_model.safetensors'), 'other weights');
      return answer;
    };
    await expect(runTraining(1n, modules)).rejects.toMatchObject({ code: 'ENGINE_FAILED' });
    expect(names()).toEqual(['claimJob']);
  });

  it.each([
    ['file', () => rmSync(store.path(sha256Of(Buffer.from('second')))), 'contribution 10'],
    ['model', () => tell(view, baseRegistered(1n, `0x${WEIGHTS}`)), 'model 1'],
  ])('leaves a job to others, unclaimed, whose %s is not here', async (_name, arrange, reason) => {
    arrange();
    const running = runTraining(1n, modules);
    await expect(running).rejects.toMatchObject({ code: 'JOB_NOT_HERE', message: expect.stringContaining(reason) });
    expect(names()).toEqual([]);
    expect(engine.calls).toEqual([]);
  });

  it('ends a hopeless job although that could not be told to the chain', async () => {
    engine.script.train = () => {
      throw engineError('bad_params', 'rank');
    };
    sender.answers.failJob = () => {
      throw runnerError('CHAIN_UNAVAILABLE', 'no answer');
    };
    expect(await runTraining(1n, modules)).toBeUndefined();
  });
});
