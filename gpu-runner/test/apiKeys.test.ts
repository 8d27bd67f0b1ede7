import { signVoucher } from '@openledger/client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CHAIN_ID, deployed, runner, tell } from './support/chainEvents.ts';
import { useDatabase } from './support/database.ts';
import { generated, startWorld, type World } from './support/gateway.ts';
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

describe('calls with an API key', () => {
  const DAY_MS = 86_400_000;
  const key = (quota = { requestsPerMinute: 60, tokensPerDay: 10_000 }) => world.apiKeys.add({ name: 'app', ...quota });
  const bearer = (value: string) => ({ authorization: `Bearer ${value}` });
  const ask = (value: string, changes = {}) => world.post('/v1/chat/completions', chat(changes), bearer(value));
  /** 9 bytes and 32 of template in, 20 out. */
  const BOUND = 61;
  const USED = 30;

  it('are served without a voucher, and the operator’s channel pays for them', async () => {
    const { key: secret } = await key();
    const response = await ask(secret);
    expect(response.status).toBe(200);
    const { openledger } = (await response.json()) as { openledger: Record<string, unknown> };
    expect(openledger).toMatchObject({ source_kind: 2, source_id: '2', cost_wei: '50', served_wei: '50' });
    const { rows } = await database().query('SELECT cumulative::text, signature FROM runner.sources WHERE id = $1', [
      '2',
    ]);
    const voucher = await signVoucher(runner, CHAIN_ID, { channelId: 2n, cumulativeAmount: 81n });
    expect(rows).toEqual([{ cumulative: '81', signature: voucher.signature }]);
  });

  it('stop when the operator’s channel is used up: nothing is served that nobody pays', async () => {
    const { key: secret } = await key();
    // Of 200 wei in the channel, after two answers 100 are left: one more fits with its most of 81, the next doesn't.
    const statuses = [];
    for (let i = 0; i < 4; i++) statuses.push((await ask(secret)).status);
    expect(statuses).toEqual([200, 200, 200, 503]);
    expect((await world.apiKeys.list())[0]).toMatchObject({ tokensToday: 3 * USED });
  });

  it('are refused with an unknown, a wrong and a revoked key alike', async () => {
    const { id, key: secret } = await key();
    const wrong = `${secret.slice(0, -1)}${secret.endsWith('A') ? 'B' : 'A'}`;
    expect(await world.apiKeys.revoke(id)).toBe(true);
    expect(await world.apiKeys.revoke(id)).toBe(false);
    const bodies = new Set<string>();
    for (const given of ['sk-something', `ol_${'0'.repeat(16)}_${'A'.repeat(43)}`, wrong, secret]) {
      const response = await ask(given);
      expect(response.status).toBe(401);
      bodies.add(await response.text());
    }
    expect([...bodies]).toEqual([expect.stringContaining('api_key_unknown')]);
    const basic = await world.post('/v1/chat/completions', chat(), { authorization: 'Basic abc' });
    expect(basic.status).toBe(401);
    expect(world.engine.asked('generate')).toEqual([]);
  });

  it('give way to a payment, because OpenAI’s clients always send some key', async () => {
    const response = await world.post('/v1/chat/completions', chat(), {
      ...(await world.pay(ENOUGH)),
      ...bearer('sk-none'),
    });
    expect(await response.json()).toMatchObject({ openledger: { source_id: '1' } });
  });

  it('keep to the requests of a minute, and say when to come again', async () => {
    const { key: secret } = await key({ requestsPerMinute: 2, tokensPerDay: 10_000 });
    tell(world.view, deployed(2n, 0n, 0n));
    for (const status of [200, 200, 429]) expect((await ask(secret)).status).toBe(status);
    const refused = await ask(secret);
    expect(refused.headers.get('retry-after')).toBe('30');
    world.clock.now += 29_999;
    expect((await ask(secret)).status).toBe(429);
    world.clock.now += 1;
    for (const status of [200, 429]) expect((await ask(secret)).status).toBe(status);
  });

  it('keep to the tokens of a day, counted before they are made', async () => {
    const { key: secret } = await key({ requestsPerMinute: 100, tokensPerDay: BOUND + USED });
    tell(world.view, deployed(2n, 0n, 0n));
    let finish = () => {};
    const running = new Promise<void>((begun) => {
      world.engine.script.generate = () => {
        begun();
        return new Promise((resolve) => {
          finish = () => resolve(generated);
        });
      };
    });
    const first = ask(secret);
    await running;
    expect((await ask(secret)).status).toBe(429);
    finish();
    expect((await first).status).toBe(200);
    world.engine.script.generate = () => generated;
    expect((await ask(secret)).status).toBe(200);
    const refused = await ask(secret);
    expect(refused.status).toBe(429);
    const untilMidnight = (DAY_MS - (world.clock.now % DAY_MS)) / 1000;
    expect(refused.headers.get('retry-after')).toBe(untilMidnight.toString());
    world.clock.now += untilMidnight * 1000;
    expect((await ask(secret)).status).toBe(200);
  });

  it('that fail use nothing of the quota or the channel', async () => {
    const { key: secret } = await key({ requestsPerMinute: 100, tokensPerDay: BOUND });
    world.engine.script.generate = () => {
      throw engineError('internal', 'disk');
    };
    for (let i = 0; i < 3; i++) expect((await ask(secret)).status).toBe(500);
    world.engine.script.generate = () => generated;
    expect((await ask(secret)).status).toBe(200);
  });

  it('leave no key anywhere: only its hash is kept', async () => {
    const { key: secret } = await key();
    await ask(secret);
    const { rows } = await database().query('SELECT to_jsonb(k) AS row FROM runner.api_keys k');
    expect(JSON.stringify(rows)).not.toContain(secret.split('_').slice(2).join('_'));
  });
});
