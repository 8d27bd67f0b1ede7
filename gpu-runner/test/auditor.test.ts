import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type GenerationRecord, generationHash } from '@openledger/client';
import { auditFindings, type BatchOutput, batchMethods, batchSourceKinds, outputIdOf } from '@openledger/contracts';
import type { BlockEntry, ChainEvent } from '@openledger/event-log';
import { silentLogger } from '@openledger/kit';
import type { Address } from 'viem';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Auditor } from '../src/audit/auditor.ts';
import type { AuditSource, DrawnOutput } from '../src/audit/auditSource.ts';
import type { RunnerView } from '../src/chain/runnerView.ts';
import { runnerError } from '../src/errors.ts';
import { Attribution } from '../src/gateway/attribution.ts';
import { EngineGenerator } from '../src/serving/engineGenerator.ts';
import { ContentStore, sha256Of } from '../src/store/contentStore.ts';
import { ModelLocator } from '../src/store/modelLocator.ts';
import { baseRegistered, CHAIN_ID, event, hashOf, low, runner, stranger, viewOf } from './support/chainEvents.ts';
import { tempFolder } from './support/database.ts';
import { ScriptedEngine } from './support/scriptedEngine.ts';
import { reverted, ScriptedSender } from './support/scriptedSender.ts';

const BASE = sha256Of(Buffer.from('base weights'));
const PERIOD = 600n;
const DELAY = 10;
const [me, audited] = [low(runner.address), low(stranger.address)];
const others = ['1', '2', '3'].map((name) => `0x${name.repeat(40)}` as Address);

const generation: GenerationRecord = {
  prompt_sha256: sha256Of(Buffer.from('Say')),
  ...{ sampler: 'openledger-0', numerics: 'cpu-float32', context_length: 512, max_tokens: 9, temperature: 1, top_p: 1 },
  ...{ top_k: 0, min_p: 0, repetition_penalty: 1, presence_penalty: 0, frequency_penalty: 0, logit_bias: {}, seed: 3 },
  stop: [],
};
const output: BatchOutput = {
  modelId: 1n,
  sourceKind: batchSourceKinds.channel,
  sourceId: 1n,
  nonce: 0n,
  promptHash: generationHash(generation),
  outputHash: `0x${sha256Of(Buffer.from('Hello'))}`,
  promptTokens: 3,
  outputTokens: 2,
  feeWeight: 5n,
  method: batchMethods.evidence0,
  rows: [],
};
const outputId = outputIdOf(output);
const verdict = {
  ...{ agrees: true, checked: 3, finish_ok: true, worst_logit_gap_micros: 1, worst_cdf_gap_micros: 1 },
  ...{ prompt_tokens: 3, text: 'Hello', prompt_sha256: generation.prompt_sha256 },
  output_sha256: sha256Of(Buffer.from('Hello')),
};

const refused = (parameter: string) =>
  runnerError('ENGINE_REFUSED', `${parameter}: is wrong`, { code: 'bad_params', parameter });

describe('Auditor', () => {
  let root: string;
  let view: RunnerView;
  let engine: ScriptedEngine;
  let sender: ScriptedSender;
  let server: Server;
  let transcript: unknown;
  let status: number;
  let auditor: Auditor;
  let drawn: Omit<DrawnOutput, 'batch'>[];
  let clock: bigint;
  let asked: number;
  let onChain: BatchOutput;

  beforeEach(async () => {
    root = tempFolder();
    for (const folder of ['base', 'files']) mkdirSync(join(root, folder));
    writeFileSync(join(root, 'base', 'model.safetensors'), 'base weights');
    transcript = { generation, prompt: 'Say', output_token_ids: [7, 8], finish_reason: 'stop' };
    [status, clock, asked, onChain] = [200, 1_000_000n, 0, output];
    server = createServer((_request, response) => {
      asked++;
      response.writeHead(status).end(JSON.stringify(transcript));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    view = viewOf(baseRegistered(1n, `0x${BASE}`), event('EndpointAnnounced', { runner: audited, endpoint }));
    engine = new ScriptedEngine({
      load_base: () => ({ base: BASE, numerics: 'cpu-float32', context_length: 512 }),
      verify_output: () => verdict,
    });
    sender = new ScriptedSender();
    drawn = [];
    const source: AuditSource = {
      rules: async () => ({
        ...{ inferenceRateBps: 500, trainingRateBps: 500, beaconDelay: DELAY },
        ...{ reportSeconds: PERIOD, voteSeconds: PERIOD },
      }),
      drawn: async (batch) => drawn.map((one) => ({ ...one, batch })),
      opening: async ({ outputId: id }) => ['place of', id],
      output: async () => onChain,
    };
    const store = new ContentStore(join(root, 'files'));
    auditor = new Auditor({
      ...{ view, store, engine, source, transactor: sender, log: silentLogger, chainId: CHAIN_ID, account: runner },
      models: await ModelLocator.open(join(root, 'adapters'), [join(root, 'base')]),
      verifier: new EngineGenerator(engine),
      attribution: new Attribution({ view, store, engine, indexDir: join(root, 'indexes') }),
      trainer: () => Promise.reject(new Error('nothing is trained here')),
      transcripts: { prune: async () => {} },
      workPrefix: 'test',
      allowPrivate: true,
      now: () => Number(clock) * 1000,
    });
  });
  afterEach(async () => {
    await auditor.idle();
    await new Promise((resolve) => server.close(resolve));
    rmSync(root, { recursive: true, force: true });
  });

  const block = (number: bigint, ...events: ChainEvent[]) =>
    view.apply({ kind: 'block', number, events } as unknown as BlockEntry);
  const batch = (by: Address) => {
    const hashes = { pagesRoot: hashOf('pages'), settlementsHash: hashOf('settlements'), head: hashOf('head') };
    return event('BatchAppended', { batchIndex: 4n, runner: by, pageCount: 1, ...hashes });
  };
  const opened = (auditorOf: Address) =>
    event('AuditOpened', {
      ...{ outputId, runner: audited, auditor: auditorOf, modelId: 1n, batchIndex: 4n, sourceKind: 2 },
      ...{ deadline: clock + PERIOD, seed: hashOf('seed') },
    });
  const contested = (...[juror0, juror1, juror2]: Address[]) =>
    event('AuditContested', {
      ...{ outputId, juror0: juror0 as Address, juror1: juror1 as Address, juror2: juror2 as Address },
      deadline: clock + PERIOD,
    });
  const step = async () => {
    await auditor.step();
    await auditor.idle();
  };
  const reported = () => sender.sent('report').map(([, finding, detail]) => [finding, detail]);

  describe('opens', () => {
    beforeEach(() => {
      drawn = [{ outputId, auditor: me, openedByAll: 2_000n }];
      block(100n, batch(audited));
    });

    it('what it is to audit, once the beacon block is there, and once only', async () => {
      block(109n);
      await step();
      expect(sender.calls).toEqual([]);
      block(110n);
      await step();
      expect(sender.sent('open')).toEqual([['place of', outputId]]);
      block(111n, opened(me));
      transcript = null;
      await step();
      expect(sender.sent('open')).toHaveLength(1);
    });

    it('what others are to audit, when they have not for long', async () => {
      drawn = [{ outputId, auditor: others[0] as Address, openedByAll: 2_000n }];
      block(1_999n);
      await step();
      expect(sender.calls).toEqual([]);
      block(2_000n);
      await step();
      expect(sender.sent('open')).toHaveLength(1);
    });

    it('nothing of its own, and nothing that is too old', async () => {
      view.clear();
      view.ready = true;
      block(100n, batch(me));
      block(200n);
      await step();
      view.clear();
      view.ready = true;
      block(100n, batch(audited));
      block(100n + BigInt(DELAY) + 8_191n);
      await step();
      expect(sender.calls).toEqual([]);
    });

    it('again later, when it failed', async () => {
      sender.answers.open = () => {
        throw reverted('BeaconNotReached');
      };
      block(110n);
      await step();
      await step();
      expect(sender.sent('open')).toHaveLength(1);
      clock += 61n;
      await step();
      expect(sender.sent('open')).toHaveLength(2);
    });
  });

  describe('reports', () => {
    const audit = () => block(200n, opened(me));

    it('what matches, with the tolerance of the machines', async () => {
      audit();
      await step();
      expect(engine.asked('verify_output')).toMatchObject([
        {
          ...{ base: BASE, prompt: 'Say', seed: 3, max_tokens: 9, output_token_ids: [7, 8], finish_reason: 'stop' },
          ...{ tolerance_micros: 500, context_length: 512 },
        },
      ]);
      expect(reported()).toEqual([[auditFindings.matches, '3 choices, tolerance 500 millionths']]);
      await step();
      expect(reported()).toHaveLength(1);
    });

    it('nothing of what others audit', async () => {
      block(200n, opened(others[0] as Address));
      await step();
      expect(asked).toBe(0);
      expect(sender.calls).toEqual([]);
    });

    it.each([
      ['a token that the rule would not choose', { agrees: false, first_mismatch: 1 }, /token 1 /],
      ['an answer that goes on', { agrees: false }, /ends/],
      ['another prompt', { prompt_sha256: 'ab'.repeat(32) }, /prompt/],
      ['another text', { output_sha256: 'ab'.repeat(32) }, /text/],
      ['more tokens than there are', { prompt_tokens: 2 }, /charged/],
    ])('%s as different', async (_what, changes, reason) => {
      engine.script.verify_output = () => ({ ...verdict, ...changes });
      audit();
      await step();
      expect(reported()).toEqual([[auditFindings.differs, expect.stringMatching(reason)]]);
    });

    it('other settings than those on chain as different, without asking the engine', async () => {
      transcript = {
        generation: { ...generation, seed: 4 },
        prompt: 'Say',
        output_token_ids: [7, 8],
        finish_reason: 'stop',
      };
      audit();
      await step();
      expect(reported()).toEqual([[auditFindings.differs, expect.stringMatching(/committed to/)]]);
      expect(engine.asked('verify_output')).toEqual([]);
    });

    it('tokens that are impossible as different, and keeps silent about what this machine can not do', async () => {
      engine.script.verify_output = () => {
        throw refused('output_token_ids');
      };
      audit();
      await step();
      expect(reported()).toEqual([[auditFindings.differs, expect.stringMatching(/can not be/)]]);
      view.audits.audits.clear();
      clock += 61n;
      engine.script.verify_output = () => {
        throw refused('prompt');
      };
      block(201n, opened(me));
      await step();
      expect(reported()).toHaveLength(1);
    });

    it('attribution that does not follow from the data as different', async () => {
      onChain = { ...output, rows: [{ contributionId: 9n, weight: 65_536n }] };
      audit();
      await step();
      expect(reported()).toEqual([[auditFindings.differs, expect.stringMatching(/attribution/)]]);
    });

    it('a runner that shows nothing as unavailable, after half of the time', async () => {
      status = 404;
      audit();
      await step();
      await step();
      expect([asked, reported()]).toEqual([1, []]);
      clock += PERIOD / 2n - 1n;
      await step();
      expect([asked, reported()]).toEqual([2, []]);
      clock += 61n;
      await step();
      expect(reported()).toEqual([[auditFindings.unavailable, expect.stringMatching(/404/)]]);
    });

    it('a runner that has announced nothing likewise', async () => {
      view.audits.endpoints.clear();
      audit();
      clock += PERIOD / 2n + 1n;
      await step();
      expect(reported()).toEqual([[auditFindings.unavailable, expect.stringMatching(/endpoint/)]]);
    });
  });

  describe('votes', () => {
    it('as a juror, and not as somebody else', async () => {
      block(200n, opened(others[0] as Address), contested(me, ...(others.slice(1) as [Address, Address])));
      await step();
      expect(sender.sent('vote')).toEqual([[outputId, auditFindings.matches, expect.any(String)]]);
      block(201n, event('AuditVoted', { outputId, juror: me, finding: 1, detail: '' }));
      clock += 61n;
      await step();
      expect(sender.sent('vote')).toHaveLength(1);
    });

    it('not any more, when the others have decided while it computed', async () => {
      block(200n, opened(others[0] as Address), contested(me, ...(others.slice(1) as [Address, Address])));
      engine.script.verify_output = () => {
        block(201n, event('AuditClosed', { outputId, runner: audited, outcome: 4 }));
        return verdict;
      };
      await step();
      expect(sender.calls).toEqual([]);
    });
  });

  it('closes what is overdue, of anybody', async () => {
    block(200n, opened(others[0] as Address));
    clock += PERIOD + 10n;
    await step();
    expect(sender.calls).toEqual([]);
    clock += 10n;
    await step();
    await step();
    expect(sender.sent('close')).toEqual([[outputId]]);
    block(201n, event('AuditClosed', { outputId, runner: audited, outcome: 6 }));
    clock += 61n;
    await step();
    expect(sender.sent('close')).toHaveLength(1);
  });

  it('does nothing before the log is read', async () => {
    block(200n, opened(me));
    view.ready = false;
    await step();
    expect(sender.calls).toEqual([]);
  });
});
