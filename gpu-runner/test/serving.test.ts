import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runnerError } from '../src/errors.ts';
import { sha256Of } from '../src/store/contentStore.ts';
import { useDatabase } from './support/database.ts';
import { ADAPTER, BASE, generated, startWorld, type World } from './support/gateway.ts';
import { engineError } from './support/scriptedEngine.ts';

const database = useDatabase();
let world: World;
beforeEach(async () => {
  world = await startWorld(database());
});
afterEach(() => world.close());

const chat = (changes: Record<string, unknown> = {}) => ({
  model: 'poet',
  messages: [{ role: 'user', content: 'Say hello' }],
  max_tokens: 20,
  ...changes,
});
const ENOUGH = 1_000n;

describe('log probabilities', () => {
  const logprobs = [
    { text: 'Hel', logprob: -0.25, top: [{ text: 'Hel', logprob: -0.25 }] },
    { text: 'lo', logprob: -1, top: [{ text: '!', logprob: -0.5 }] },
  ];
  beforeEach(() => {
    world.engine.script.generate = (_params, { onEvent }) => {
      for (const one of logprobs) onEvent?.({ event: 'token', data: { text: one.text, logprobs: [one] } });
      return { ...generated, logprobs };
    };
  });

  it('of a chat have the shape of chats', async () => {
    const body = chat({ logprobs: true, top_logprobs: 1 });
    const answer = await (await world.post('/v1/chat/completions', body, await world.pay(ENOUGH))).json();
    expect(world.engine.asked('generate')[0]).toMatchObject({ logprobs: 1 });
    expect(answer).toMatchObject({
      choices: [
        {
          logprobs: {
            content: [
              {
                token: 'Hel',
                logprob: -0.25,
                bytes: [72, 101, 108],
                top_logprobs: [{ token: 'Hel', logprob: -0.25, bytes: [72, 101, 108] }],
              },
              {
                token: 'lo',
                logprob: -1,
                bytes: [108, 111],
                top_logprobs: [{ token: '!', logprob: -0.5, bytes: [33] }],
              },
            ],
          },
        },
      ],
    });
  });

  it('of a prompt have the older shape, and in a stream count on', async () => {
    const body = { model: 'poet', prompt: 'Say', logprobs: 1, stream: true };
    const text = await (await world.post('/v1/completions', body, await world.pay(ENOUGH))).text();
    const [first, second] = text.split('\n\n').map((part) => part.slice('data: '.length));
    expect(JSON.parse(first ?? '').choices[0].logprobs).toEqual({
      tokens: ['Hel'],
      token_logprobs: [-0.25],
      top_logprobs: [{ Hel: -0.25 }],
      text_offset: [0],
    });
    expect(JSON.parse(second ?? '').choices[0].logprobs).toMatchObject({ tokens: ['lo'], text_offset: [3] });
  });
});

describe('an engine with limits', () => {
  it('that has too many requests waiting is 429 with Retry-After, and nothing is paid', async () => {
    world.engine.script.generate = () => {
      throw runnerError('OVERLOADED', '1024 requests are waiting; try again later');
    };
    const response = await world.post('/v1/chat/completions', chat(), await world.pay(ENOUGH));
    expect([response.status, response.headers.get('retry-after')]).toEqual([429, '5']);
    expect(await response.json()).toMatchObject({ error: { type: 'rate_limit_error', code: 'overloaded' } });
    const { rows } = await database().query('SELECT served::text FROM runner.sources WHERE served > 0');
    expect(rows).toEqual([]);
  });

  it('that has forgotten an adapter is given it again, once', async () => {
    let forgets = 1;
    world.engine.script.generate = () => {
      if (forgets-- > 0) throw engineError('unknown_adapter', `adapter ${ADAPTER} is not loaded`);
      return generated;
    };
    expect((await world.post('/v1/chat/completions', chat(), await world.pay(ENOUGH))).status).toBe(200);
    expect(world.engine.asked('load_base')).toHaveLength(2);
    expect(world.engine.asked('load_adapter')).toHaveLength(2);
    forgets = 2;
    expect((await world.post('/v1/chat/completions', chat(), await world.pay(ENOUGH))).status).toBe(400);
  });

  it('tells in metrics what is resident, how requests ended and how long they took', async () => {
    world.engine.script.serving_stats = () => ({
      bases: [
        {
          running: 3,
          waiting: 2,
          tokens_per_second: 41.5,
          adapters: {
            ...{ registered: 1000, resident: 64, host: 100, host_bytes: 5, evictions: 7 },
            cold_loads: { count: 9, p50_micros: 4000, p95_micros: 9000 },
          },
        },
      ],
    });
    await world.post('/v1/chat/completions', chat({ stream: true }), await world.pay(ENOUGH));
    await world.post('/v1/chat/completions', chat({ model: 'nobody' }), await world.pay(ENOUGH));
    const metrics = await (await fetch(`${world.url}/metrics`)).text();
    for (const line of [
      'test_requests_total{endpoint="chat",status="200"} 1',
      'test_requests_total{endpoint="chat",status="404"} 1',
      'test_time_to_first_token_seconds_count 1',
      'test_inter_token_latency_seconds_count 1',
      'test_adapters_registered 1000',
      'test_adapters_resident 64',
      'test_waiting_requests 2',
      'test_adapter_cold_loads 9',
      'test_adapter_cold_load_seconds{quantile="0.95"} 0.009',
    ]) {
      expect(metrics).toContain(line);
    }
  });
});

describe('adapters that the operator loads', () => {
  const WEIGHTS = sha256Of(Buffer.from('other weights'));
  const keep = (config: object = { base_model_name_or_path: `sha256:${BASE}` }) => {
    const folder = join(world.inference.adaptersFolder, WEIGHTS);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'adapter_model.safetensors'), 'other weights');
    writeFileSync(join(folder, 'adapter_config.json'), JSON.stringify(config));
    return folder;
  };
  const bearer = async (operator: boolean) => {
    const quota = { requestsPerMinute: 60, tokensPerDay: 10_000 };
    return { authorization: `Bearer ${(await world.apiKeys.add({ name: 'k', operator, ...quota })).key}` };
  };
  const load = (body: unknown, headers: Record<string, string>) => world.post('/v1/load_lora_adapter', body, headers);
  const unload = (body: unknown, headers: Record<string, string>) =>
    world.post('/v1/unload_lora_adapter', body, headers);

  it('are for operators only: nobody else loads, sees or asks them', async () => {
    keep();
    const body = { lora_name: 'draft', lora_path: `sha256:${WEIGHTS}` };
    expect((await load(body, {})).status).toBe(401);
    expect((await load(body, await world.pay(ENOUGH))).status).toBe(401);
    expect((await load(body, await bearer(false))).status).toBe(403);
    const operator = await bearer(true);
    const loaded = await load(body, operator);
    expect([loaded.status, await loaded.text()]).toEqual([200, "Success: LoRA adapter 'draft' added successfully."]);
    expect(world.engine.asked('load_adapter')[0]).toMatchObject({ adapter: WEIGHTS, base: BASE });

    const answer = await world.post('/v1/chat/completions', chat({ model: 'draft' }), operator);
    expect(answer.status).toBe(200);
    const told = (await answer.json()) as Record<string, unknown>;
    expect(told).toMatchObject({ model: 'draft', choices: [{ message: { content: 'Hello' } }] });
    expect(told).not.toHaveProperty('openledger');
    expect(world.engine.asked('attribute')).toEqual([]);
    for (const headers of [await world.pay(ENOUGH), await bearer(false), {}]) {
      expect((await world.post('/v1/chat/completions', chat({ model: 'draft' }), headers)).status).toBe(404);
    }
    const ids = async (headers: Record<string, string>) => {
      const list = (await (await fetch(`${world.url}/v1/models`, { headers })).json()) as { data: { id: string }[] };
      return list.data.map(({ id }) => id);
    };
    expect(await ids({})).toEqual(['base', 'poet']);
    expect(await ids(operator)).toEqual(['base', 'poet', 'draft']);

    const gone = await unload({ lora_name: 'draft' }, operator);
    expect([gone.status, await gone.text()]).toEqual([200, "Success: LoRA adapter 'draft' removed successfully."]);
    expect(world.engine.asked('unload_adapter')).toEqual([{ adapter: WEIGHTS }]);
    expect((await world.post('/v1/chat/completions', chat({ model: 'draft' }), operator)).status).toBe(404);
  });

  it('come from the runner’s own folder alone', async () => {
    const folder = keep();
    const operator = await bearer(true);
    expect((await load({ lora_name: 'a', lora_path: folder }, operator)).status).toBe(200);
    for (const path of [
      '/etc',
      `${folder}/../../base`,
      `sha256:${'0'.repeat(64)}`,
      world.inference.adaptersFolder,
      '.',
    ]) {
      const response = await load({ lora_name: 'b', lora_path: path }, operator);
      expect(response.status).toBe(404);
      expect(await response.json()).toMatchObject({
        error: { message: `No adapter found for ${path}`, type: 'not_found_error', code: 'adapter_unknown' },
      });
    }
  });

  it('are refused as vLLM refuses them', async () => {
    keep();
    const operator = await bearer(true);
    const path = `sha256:${WEIGHTS}`;
    const refusal = async (response: Response) => {
      const { error } = (await response.json()) as { error: { message: string } };
      return [response.status, error.message];
    };
    for (const body of [{}, { lora_name: 'a' }, { lora_path: path }, { lora_name: '', lora_path: path }]) {
      expect(await refusal(await load(body, operator))).toEqual([
        400,
        "Both 'lora_name' and 'lora_path' must be provided.",
      ]);
    }
    await load({ lora_name: 'a', lora_path: path }, operator);
    const again = await refusal(await load({ lora_name: 'a', lora_path: path }, operator));
    expect(again).toEqual([400, "The lora adapter 'a' has already been loaded."]);
    const [status] = await refusal(await load({ lora_name: 'poet', lora_path: path }, operator));
    expect(status).toBe(409);
    expect(await refusal(await unload({ lora_name: 'nope' }, operator))).toEqual([
      404,
      "The lora adapter 'nope' cannot be found.",
    ]);
    expect((await unload({}, operator)).status).toBe(400);
    expect((await load({ lora_name: 'bad name\n', lora_path: path }, operator)).status).toBe(400);
  });

  it('of a base that isn’t here are unknown, and what the engine refuses is not kept', async () => {
    keep({ base_model_name_or_path: `sha256:${'1'.repeat(64)}` });
    const operator = await bearer(true);
    const body = { lora_name: 'a', lora_path: `sha256:${WEIGHTS}` };
    expect((await load(body, operator)).status).toBe(404);
    keep();
    world.engine.script.load_adapter = () => {
      throw engineError('unknown_adapter', 'the adapter uses use_dora, which can’t share a batch');
    };
    expect((await load(body, operator)).status).toBe(400);
    expect((await world.post('/v1/chat/completions', chat({ model: 'a' }), operator)).status).toBe(404);
  });
});
