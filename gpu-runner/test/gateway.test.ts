import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { priorRoot, uploadFile } from '@openledger/client';
import { batchMethods } from '@openledger/contracts';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { runnerError } from '../src/errors.ts';
import { findOutput, type OutputRecord, toBatchOutput } from '../src/gateway/outputs.ts';
import { sha256Of } from '../src/store/contentStore.ts';
import {
  adapterRegistered,
  baseRegistered,
  CHAIN_ID,
  committed,
  deployed,
  event,
  hashOf,
  low,
  payer,
  runner,
  tell,
} from './support/chainEvents.ts';
import { useDatabase } from './support/database.ts';
import { ADAPTER, BASE, generated, NOW, startWorld, type World } from './support/gateway.ts';
import { engineError } from './support/scriptedEngine.ts';

const database = useDatabase();
let world: World;
beforeEach(async () => {
  world = await startWorld(database());
});
afterEach(() => {
  vi.useRealTimers();
  return world.close();
});

const chat = (changes: Record<string, unknown> = {}) => ({
  model: 'poet',
  messages: [{ role: 'user', content: 'Say hello' }],
  max_tokens: 20,
  ...changes,
});
/** 10 tokens in at 1,000 and 20 out at 2,000 wei per 1,000. */
const COST = 50n;
const ENOUGH = 1_000n;

describe('completions', () => {
  it('answer in OpenAI’s shape, with the receipt of the output', async () => {
    const response = await world.post('/v1/chat/completions', chat(), await world.pay(ENOUGH));
    expect(response.status).toBe(200);
    const answer = (await response.json()) as { id: string; openledger: { output_id: string } };
    const outputId = answer.openledger.output_id;
    expect(response.headers.get('x-receipt')).toBe(outputId);
    expect(answer).toEqual({
      id: expect.stringMatching(/^chatcmpl-/),
      object: 'chat.completion',
      created: 1_800_000_000,
      model: 'poet',
      choices: [{ index: 0, message: { role: 'assistant', content: 'Hello' }, finish_reason: 'stop', logprobs: null }],
      usage: { prompt_tokens: 10, completion_tokens: 20, total_tokens: 30 },
      openledger: {
        output_id: expect.stringMatching(/^0x[0-9a-f]{64}$/),
        model_id: '2',
        source_kind: 2,
        source_id: '1',
        nonce: '0',
        prompt_hash: expect.stringMatching(/^0x[0-9a-f]{64}$/),
        output_sha256: `0x${generated.output_sha256}`,
        cost_wei: COST.toString(),
        served_wei: COST.toString(),
        signature: expect.stringMatching(/^0x[0-9a-f]{130}$/),
        runner: runner.address,
        generation: {
          prompt_sha256: generated.prompt_sha256,
          ...{ sampler: 'openledger-0', numerics: 'cpu-float32', context_length: 512 },
          ...{ max_tokens: 20, temperature: 1, top_p: 1, top_k: 0, min_p: 0, seed: 0, stop: [], logit_bias: {} },
          ...{ repetition_penalty: 1, presence_penalty: 0, frequency_penalty: 0 },
        },
        method: 'evidence-0',
        attribution: [
          { contribution_id: '9', weight: '16384' },
          { contribution_id: '10', weight: '49152' },
        ],
      },
    });
    const looked = await fetch(`${world.url}/v1/outputs/${outputId}`);
    expect(await looked.json()).toMatchObject({ outputId, cost: '50', settlement: null });
  });

  it('of a prompt have the older shape', async () => {
    const response = await world.post('/v1/completions', { model: 'model-2', prompt: 'Say' }, await world.pay(ENOUGH));
    expect(await response.json()).toMatchObject({
      id: expect.stringMatching(/^cmpl-/),
      object: 'text_completion',
      choices: [{ index: 0, text: 'Hello', finish_reason: 'stop', logprobs: null }],
    });
    expect(world.engine.asked('generate')[0]).toMatchObject({
      prompt: 'Say',
      base: BASE,
      adapter: ADAPTER,
      max_tokens: 128,
    });
  });

  it('made from passages cite them and are paid by them', async () => {
    world.engine.script.retrieve = () => ({
      context: 'Passages:\n[1] a\n[2] b\n',
      passages: [
        { contribution_id: '9', chunk: 3, start: 5, end: 90, text: 'a', score: 7 },
        { contribution_id: '10', chunk: 0, start: 0, end: 40, text: 'b', score: 7 },
      ],
      rows: [
        { contribution_id: '9', weight: 1 },
        { contribution_id: '10', weight: 1 },
      ],
    });
    const contentHash = world.view.contributions.get(9n)?.contentHash.slice(2) ?? '';
    const asked = chat({
      messages: [
        { role: 'user', content: 'Before' },
        { role: 'assistant', content: 'Yes' },
        { role: 'user', content: 'Say hello' },
        { role: 'assistant', content: 'Well' },
      ],
      retrieval: { top_k: 2 },
    });
    const missing = await world.post('/v1/chat/completions', asked, await world.pay(20_000n));
    expect(missing.status).toBe(400);
    mkdirSync(dirname(world.store.path(contentHash)), { recursive: true });
    writeFileSync(world.store.path(contentHash), 'text');
    const response = await world.post('/v1/chat/completions', asked, await world.pay(20_000n));
    expect(response.status).toBe(200);
    const { openledger } = (await response.json()) as { openledger: { output_id: string } };
    expect(openledger).toMatchObject({
      method: 'retrieval-0',
      citations: [
        { contribution_id: '9', chunk: 3, start: 5, end: 90 },
        { contribution_id: '10', chunk: 0, start: 0, end: 40 },
      ],
      attribution: [
        { contribution_id: '9', weight: '32768' },
        { contribution_id: '10', weight: '32768' },
      ],
    });
    expect(world.engine.asked('retrieve')).toMatchObject([{ query_text: 'Say hello', top_k: 2 }]);
    expect(world.engine.asked('attribute')).toEqual([]);
    const shown = world.engine.asked('generate').at(-1)?.messages as { content: string }[];
    expect(shown.map(({ content }) => content)).toEqual([
      'Before',
      'Yes',
      'Passages:\n[1] a\n[2] b\nSay hello',
      'Well',
    ]);
    const { record } = (await findOutput(database(), openledger.output_id)) ?? {};
    expect(toBatchOutput(record as OutputRecord).method).toBe(3);
  });

  it('are refused for data that is not here, or passages that were not paid for', async () => {
    const ask = (retrieval: unknown, model = 'poet') =>
      world
        .pay(20_000n)
        .then((headers) => world.post('/v1/completions', { model, prompt: 'Say', retrieval }, headers))
        .then(({ status }) => status);
    for (const wrong of [
      5,
      [],
      { top_k: 17 },
      { top_k: 0 },
      { datanet_id: 1 },
      { datanet_id: '1', datanet_version: 0 },
    ]) {
      expect([wrong, await ask(wrong)]).toEqual([wrong, 400]);
    }
    expect(await ask({ datanet_id: '77' })).toBe(400);
    expect(await ask({}, 'base')).toBe(400);
    expect(world.engine.asked('generate')).toEqual([]);
    const little = await world.post(
      '/v1/completions',
      { model: 'poet', prompt: 'Say', max_tokens: 20, retrieval: { top_k: 16 } },
      await world.pay(ENOUGH),
    );
    expect(little.status).toBe(402);
  });

  it('load base, adapter and index once, and again after the engine has ended', async () => {
    const loads = () => world.engine.calls.map(({ method }) => method).filter((name) => /load|index/.test(name));
    const headers = await world.pay(ENOUGH);
    await world.post('/v1/chat/completions', chat(), headers);
    await world.post('/v1/chat/completions', chat(), headers);
    expect(loads()).toEqual(['load_base', 'load_adapter', 'index_corpus']);
    world.inference.forgetLoaded();
    await world.post('/v1/chat/completions', chat(), headers);
    expect(loads()).toHaveLength(6);
  });

  it('of a base model are attributed to nobody', async () => {
    const response = await world.post('/v1/chat/completions', chat({ model: 'base' }), await world.pay(ENOUGH));
    expect(await response.json()).toMatchObject({ openledger: { model_id: '1', attribution: [] } });
    expect(world.engine.asked('attribute')).toEqual([]);
  });

  it('are weighed by influence where the training’s report says so, and by evidence alone where it does not', async () => {
    const prior = [
      { contribution_id: '9', weight: 65_535 },
      { contribution_id: '10', weight: 7 },
    ];
    const root = priorRoot(new Map(prior.map(({ contribution_id, weight }) => [contribution_id, weight])));
    const report = Buffer.from(JSON.stringify({ influence: { lambda_bps: 2_500, root, prior } }));
    const answer = async () => (await world.post('/v1/chat/completions', chat(), await world.pay(ENOUGH))).json();
    tell(world.view, ...committed(1n, 2n, `0x${await world.store.put(report)}`));
    const weighed = (await answer()) as { openledger: { method: string; output_id: string } };
    expect(weighed.openledger.method).toBe('influence-0');
    expect(world.engine.asked('attribute').at(-1)).toMatchObject({ lambda_bps: 2_500, prior });
    expect((await findOutput(database(), weighed.openledger.output_id))?.record.method).toBe(batchMethods.influence0);

    // What others say of the model later is not what its training committed to.
    const [later] = committed(1n, 2n, `0x${await world.store.put(Buffer.from('{}'))}`, payer.address);
    if (later) tell(world.view, later);
    expect(await answer()).toMatchObject({ openledger: { method: 'influence-0' } });

    tell(world.view, ...[adapterRegistered(3n, 1n, `0x${ADAPTER}`, 'other'), deployed(3n, 0n, 0n)]);
    tell(world.view, ...committed(2n, 3n, `0x${await world.store.put(Buffer.from('{"job":"2"}'))}`));
    const plain = await world.post('/v1/chat/completions', chat({ model: 'other' }), await world.pay(ENOUGH));
    expect(await plain.json()).toMatchObject({ openledger: { method: 'evidence-0' } });
    expect(world.engine.asked('attribute').at(-1)).not.toHaveProperty('prior');
  });

  it('of a free model cost nothing and are recorded all the same', async () => {
    tell(world.view, deployed(2n, 0n, 0n));
    const response = await world.post('/v1/chat/completions', chat(), await world.pay(1n));
    const { openledger } = (await response.json()) as { openledger: { output_id: string; cost_wei: string } };
    expect(openledger.cost_wei).toBe('0');
    expect((await findOutput(database(), openledger.output_id))?.record.cost).toBe('0');
  });

  it('spend the voucher by what they cost, not by what they could have', async () => {
    const bound = BigInt(9 + 32 + 40);
    const headers = await world.pay(bound + COST);
    for (const status of [200, 200, 402]) {
      expect((await world.post('/v1/chat/completions', chat(), headers)).status).toBe(status);
    }
  });

  it('that fail cost nothing', async () => {
    world.engine.script.generate = () => {
      throw engineError('internal', 'secret path /root');
    };
    const headers = await world.pay(81n);
    const failed = await world.post('/v1/chat/completions', chat(), headers);
    expect(failed.status).toBe(500);
    expect(await failed.json()).toEqual({ error: { message: 'internal error', type: 'server_error', code: null } });
    world.engine.script.generate = () => generated;
    expect((await world.post('/v1/chat/completions', chat(), headers)).status).toBe(200);
  });

  it('are called off when the client goes away', async () => {
    for (const stream of [true, false]) {
      const client = new AbortController();
      const aborted = new Promise<void>((resolve, reject) => {
        world.engine.script.generate = (_params, { signal, onEvent }) => {
          if (!signal) reject(new Error('no signal'));
          onEvent?.({ event: 'token', data: { text: 'Hel' } });
          client.abort();
          return new Promise((_resolve, fail) => {
            signal?.addEventListener('abort', () => {
              fail(runnerError('ENGINE_CANCELLED', 'called off'));
              resolve();
            });
          });
        };
      });
      const response = world.post('/v1/chat/completions', chat({ stream }), await world.pay(ENOUGH), client.signal);
      await response.then((answer) => answer.text()).catch(() => {});
      await aborted;
    }
    expect((await database().query('SELECT * FROM runner.served')).rows).toEqual([]);
  });
});

describe('streamed completions', () => {
  const events = async (response: Response): Promise<unknown[]> => {
    const parts = (await response.text()).split('\n\n').filter((part) => part !== '');
    return parts.map((part) => {
      expect(part.startsWith('data: ')).toBe(true);
      const data = part.slice('data: '.length);
      return data === '[DONE]' ? data : JSON.parse(data);
    });
  };

  it('are chunks, then receipt and usage, then [DONE]', async () => {
    const body = chat({ stream: true, stream_options: { include_usage: true } });
    const response = await world.post('/v1/chat/completions', body, await world.pay(ENOUGH));
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    const [role, first, second, last, usage, done, ...rest] = await events(response);
    const chunk = {
      id: expect.stringMatching(/^chatcmpl-/),
      object: 'chat.completion.chunk',
      created: 1_800_000_000,
      model: 'poet',
    };
    const choice = (delta: object) => ({ index: 0, delta, finish_reason: null });
    expect(role).toEqual({ ...chunk, choices: [choice({ role: 'assistant', content: '' })] });
    expect(first).toEqual({ ...chunk, choices: [{ index: 0, delta: { content: 'Hel' }, finish_reason: null }] });
    expect(second).toEqual({ ...chunk, choices: [{ index: 0, delta: { content: 'lo' }, finish_reason: null }] });
    expect(last).toEqual({
      ...chunk,
      choices: [{ index: 0, delta: {}, finish_reason: 'stop' }],
      openledger: expect.objectContaining({ model_id: '2', cost_wei: '50', source_id: '1' }),
    });
    expect(usage).toEqual({
      ...chunk,
      choices: [],
      usage: { prompt_tokens: 10, completion_tokens: 20, total_tokens: 30 },
    });
    expect([done, rest]).toEqual(['[DONE]', []]);
  });

  it('of a prompt have the older shape', async () => {
    const body = { model: 'poet', prompt: 'Say', stream: true };
    const [first] = await events(await world.post('/v1/completions', body, await world.pay(ENOUGH)));
    expect(first).toMatchObject({
      object: 'text_completion',
      choices: [{ index: 0, text: 'Hel', finish_reason: null }],
    });
  });

  it('that fail before the first token are plain errors', async () => {
    world.engine.script.generate = () => {
      throw engineError('bad_params', 'the prompt is longer than the context');
    };
    const response = await world.post('/v1/chat/completions', chat({ stream: true }), await world.pay(ENOUGH));
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({
      error: {
        message: 'the prompt is longer than the context',
        type: 'invalid_request_error',
        code: 'engine_refused',
        details: { code: 'bad_params' },
      },
    });
  });

  it('that fail later end with the error and without [DONE]', async () => {
    world.engine.script.attribute = () => {
      throw engineError('internal', 'secret');
    };
    const response = await world.post('/v1/chat/completions', chat({ stream: true }), await world.pay(ENOUGH));
    const all = await events(response);
    expect(all).toHaveLength(4);
    expect(all[3]).toEqual({ error: { message: 'internal error', type: 'server_error', code: null } });
  });
});

describe('refusals', () => {
  const put = (path: string, body: Buffer, headers: Record<string, string> = {}) =>
    fetch(`${world.url}${path}`, {
      method: 'PUT',
      headers: { 'content-type': 'application/octet-stream', ...headers },
      body: new Uint8Array(body),
    });
  const file = Buffer.from('a file');
  const path = `/v1/files/${sha256Of(file)}`;

  it.each([
    [
      404,
      'not_found_error',
      'model_unknown',
      async () => world.post('/v1/chat/completions', chat({ model: 'x' }), await world.pay(ENOUGH)),
    ],
    [404, 'not_found_error', 'output_unknown', () => fetch(`${world.url}/v1/outputs/0x12`)],
    [404, 'not_found_error', 'route_unknown', () => fetch(`${world.url}/v1/embeddings`)],
    [400, 'invalid_request_error', 'request_invalid', () => world.post('/v1/completions', { model: 'poet' })],
    [400, 'invalid_request_error', 'bad_request', () => world.post('/v1/completions', '{"model":')],
    [413, 'invalid_request_error', 'bad_request', () => world.post('/v1/completions', `"${'x'.repeat(10_000_002)}"`)],
    [413, 'invalid_request_error', 'file_too_large', () => put(path, Buffer.alloc(10_000_001))],
    [415, 'invalid_request_error', 'bad_request', () => put(path, file, { 'content-type': 'image/png' })],
    [400, 'invalid_request_error', 'file_empty', () => put(path, Buffer.alloc(0))],
    [400, 'invalid_request_error', 'file_hash_mismatch', () => put(path, Buffer.from('other'))],
    [401, 'authentication_error', 'upload_unauthorized', () => put(path, file)],
  ])('%i %s %s', async (status, type, code, call) => {
    const response = await call();
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ error: { message: expect.any(String), type, code } });
    expect(world.engine.asked('generate')).toEqual([]);
  });

  it('say which of several models of one name to take', async () => {
    tell(world.view, adapterRegistered(3n, 1n, `0x${ADAPTER}`, 'poet'), deployed(3n, 1n, 1n));
    const response = await world.post('/v1/chat/completions', chat(), await world.pay(ENOUGH));
    expect(response.status).toBe(404);
    const { error } = (await response.json()) as { error: { message: string } };
    expect(error.message).toContain('model-2 or model-3');
    const byId = await world.post('/v1/chat/completions', chat({ model: 'model-3' }), await world.pay(ENOUGH));
    expect(await byId.json()).toMatchObject({ model: 'poet', openledger: { model_id: '3' } });
  });

  it('of a model whose adapter or base is not here, or that is retired', async () => {
    tell(world.view, adapterRegistered(3n, 1n, hashOf('elsewhere'), 'far'), deployed(3n, 1n, 1n));
    tell(world.view, baseRegistered(4n, hashOf('no such base'), 'gone'), deployed(4n, 1n, 1n));
    tell(world.view, event('ModelRetired', { modelId: 1n, owner: low(runner.address) }));
    for (const model of ['far', 'gone', 'base', 'model-3', 'model-99']) {
      expect((await world.post('/v1/chat/completions', chat({ model }))).status, model).toBe(404);
    }
  });

  it('do not take a failed load for a loaded model', async () => {
    world.engine.script.load_adapter = () => {
      throw engineError('internal', 'disk');
    };
    const headers = await world.pay(ENOUGH);
    expect((await world.post('/v1/chat/completions', chat(), headers)).status).toBe(500);
    world.engine.script.load_adapter = () => ({ rank: 8 });
    expect((await world.post('/v1/chat/completions', chat(), headers)).status).toBe(200);
    expect(world.engine.asked('load_adapter')).toHaveLength(2);
  });
});

describe('the rest of the gateway', () => {
  it('lists what is served', async () => {
    const { object, data } = (await (await fetch(`${world.url}/v1/models`)).json()) as {
      object: string;
      data: unknown[];
    };
    expect(object).toBe('list');
    expect(data).toHaveLength(2);
    expect(data[1]).toEqual({
      id: 'poet',
      object: 'model',
      created: 0,
      owned_by: low(payer.address),
      root: `0x${ADAPTER}`,
      parent: 'model-1',
      openledger: {
        model_id: '2',
        input_price: '1000',
        output_price: '2000',
        datanet_id: '1',
        datanet_version: 1,
      },
    });
    expect(data[0]).toMatchObject({ id: 'base', parent: null });
  });

  it('tells whether it is ready, and counts', async () => {
    expect((await fetch(`${world.url}/readyz`)).status).toBe(200);
    world.reasons.push('not yet');
    const response = await fetch(`${world.url}/readyz`);
    expect([response.status, await response.json()]).toEqual([503, { ready: false, reasons: ['not yet'] }]);
    expect(await (await fetch(`${world.url}/healthz`)).json()).toEqual({ status: 'ok' });
    await world.post('/v1/chat/completions', chat(), await world.pay(ENOUGH));
    const metrics = await (await fetch(`${world.url}/metrics`)).text();
    expect(metrics).toContain('test_completions_total{endpoint="chat"} 1');
    expect(metrics).toContain('test_tokens_total{kind="output"} 20');
  });

  it('takes the client’s uploads, to the byte of the limit', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: NOW });
    for (const bytes of [Buffer.from('a file'), Buffer.alloc(10_000_000)]) {
      const answer = await uploadFile({ url: world.url, account: payer, chainId: CHAIN_ID, bytes });
      expect(answer).toEqual({ sha256: sha256Of(bytes), size: bytes.length });
      expect(world.store.has(answer.sha256)).toBe(true);
    }
  });
});
