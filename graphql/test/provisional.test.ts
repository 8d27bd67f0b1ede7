import type { LogHead, ProvisionalEntry } from '@openledger/event-log';
import { testDatabases } from '@openledger/indexer/testing';
import { silentLogger } from '@openledger/kit';
import { createClient } from 'graphql-ws';
import { afterEach, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { LiveProvisional, type ProvisionalUpdate } from '../src/liveProvisional.ts';
import { startStack, type TestStack } from './support.ts';

const hash = (word: string) => `0x${Buffer.from(word).toString('hex').padEnd(64, '0')}` as const;
const a = '0x00000000000000aa';
const b = '0x00000000000000bb';

/** A flashblock on the log's head with one event. */
const flashblock = (head: LogHead | undefined, payloadId: `0x${string}`, index: number): ProvisionalEntry => ({
  kind: 'provisional',
  number: (head?.number ?? -1n) + 1n,
  parentHash: head?.hash ?? hash('none'),
  timestamp: 1n,
  payloadId,
  index,
  firstTxIndex: index,
  transactions: [hash(`tx ${index}`)],
  events: [
    {
      ...{ type: 'RecipientSet' as const, txIndex: index, logIndex: index, subIndex: 0 },
      args: { account: `0x${'11'.repeat(20)}`, recipient: `0x${'22'.repeat(20)}` },
    },
  ],
});

let stack: TestStack | undefined;
afterEach(async () => {
  await stack?.close();
  stack = undefined;
});
const QUERY = 'status blockNumber payloadId index events { type transactionHash txIndex logIndex args }';

describe('the subscription to provisional events', () => {
  const start = async (provided = true) => {
    const { open } = testDatabases[0]!;
    let log: TestStack['chain']['log'] | undefined;
    stack = await startStack(open, {
      blocks: 3,
      ...(provided
        ? {
            provisional: async function* (signal) {
              const head = await log?.head();
              if (log) yield* log.followProvisional(head?.nextSeq ?? 0, { signal });
            },
          }
        : {}),
    });
    ({ log } = stack.chain);
    const client = createClient({ url: stack.server.url.replace('http', 'ws'), webSocketImpl: WebSocket });
    const subscribe = (fields: string) => {
      const results = client.iterate({ query: `subscription { ${fields} }` });
      return async () => (await results.next()).value;
    };
    return { chain: stack.chain, log, subscribe };
  };

  it('tells the open block’s events, marked as such, then that it is sealed', async () => {
    const { chain, log, subscribe } = await start();
    const next = subscribe(`provisionalEvents { ${QUERY} }`);
    const head = await log.head();
    const first = next();
    log.provisional.publish(flashblock(head, a, 0));
    const number = Number(head?.number ?? 0n) + 1;
    expect((await first).data.provisionalEvents).toEqual({
      ...{ status: 'PRECONFIRMED', blockNumber: number, payloadId: a, index: 0 },
      events: [
        {
          ...{ type: 'RecipientSet', transactionHash: hash('tx 0'), txIndex: 0, logIndex: 0 },
          args: { account: `0x${'11'.repeat(20)}`, recipient: `0x${'22'.repeat(20)}` },
        },
      ],
    });
    log.provisional.publish(flashblock(head, a, 1));
    expect((await next()).data.provisionalEvents).toMatchObject({ index: 1, events: [{ txIndex: 1 }] });
    await chain.mine();
    log.provisional.clear();
    expect((await next()).data.provisionalEvents).toMatchObject({ status: 'SEALED', blockNumber: number, events: [] });
  });

  it('tells that a build was withdrawn, and goes on with the next', async () => {
    const { log, subscribe } = await start();
    const next = subscribe(`provisionalEvents { ${QUERY} }`);
    const head = await log.head();
    const first = next();
    log.provisional.publish(flashblock(head, a, 0));
    await first;
    log.provisional.withdraw();
    expect((await next()).data.provisionalEvents).toMatchObject({ status: 'WITHDRAWN', payloadId: a, index: null });
    log.provisional.publish(flashblock(head, b, 0));
    expect((await next()).data.provisionalEvents).toMatchObject({ status: 'PRECONFIRMED', payloadId: b });
  });

  it('keeps to the types that were asked for', async () => {
    const { chain, log, subscribe } = await start();
    const other = subscribe('provisionalEvents(types: ["JobRequested"]) { status }');
    const mine = subscribe('provisionalEvents(types: ["RecipientSet"]) { status }');
    const nothing = other();
    const something = mine();
    log.provisional.publish(flashblock(await log.head(), a, 0));
    expect((await something).data.provisionalEvents.status).toBe('PRECONFIRMED');
    await chain.mine();
    log.provisional.clear();
    expect((await mine()).data.provisionalEvents.status).toBe('SEALED');
    expect(await Promise.race([nothing, Promise.resolve('nothing')])).toBe('nothing');
  });

  it('is refused by a server that has no feed', async () => {
    const { subscribe } = await start(false);
    const answer = await subscribe('provisionalEvents { status }')().catch((error: unknown) => error);
    expect(JSON.stringify(answer)).toContain('NOT_PROVIDED');
  });
});

describe('a subscriber that lags', () => {
  const item = (payloadId: string, index: number, number = 1n) =>
    ({ ...flashblock(undefined, payloadId as `0x${string}`, index), number }) as const;

  /** A feed that the test writes. */
  const start = () => {
    const items: unknown[] = [];
    let wake = () => {};
    let opened = 0;
    const live = new LiveProvisional(async function* (signal) {
      opened++;
      signal.addEventListener('abort', () => wake());
      while (!signal.aborted) {
        while (items.length > 0) yield items.shift() as never;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }, silentLogger);
    const push = async (...more: unknown[]) => {
      items.push(...more);
      wake();
      for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    };
    const subscribe = () => live.updates()[Symbol.asyncIterator]();
    const shown = ({ status, payloadId, index }: ProvisionalUpdate) => `${status} ${payloadId.slice(-2)} ${index}`;
    return { live, push, subscribe, shown, opened: () => opened };
  };

  it('finds what became of blocks that it did not look at in time superseded', async () => {
    const { live, push, subscribe, shown } = start();
    const slow = subscribe();
    const first = slow.next();
    await push(item(a, 0));
    expect(shown((await first).value)).toBe('PRECONFIRMED aa 0');
    await push(item(a, 1), item(a, 2), { kind: 'block', number: 1n }, item(b, 0, 2n), item(b, 1, 2n));
    const seen = [];
    for (let i = 0; i < 3; i++) seen.push(shown((await slow.next()).value));
    expect(seen).toEqual(['SEALED aa null', 'PRECONFIRMED bb 0', 'PRECONFIRMED bb 1']);
    live.close();
  });

  it('holds no more than one block’s updates however many go by', async () => {
    const { live, push, subscribe, shown } = start();
    const slow = subscribe();
    const first = slow.next();
    await push(item(a, 0));
    await first;
    for (let number = 1n; number < 50n; number++) {
      await push(item(`0x${number}`, 1, number), { kind: 'block', number });
    }
    await push(item(b, 0, 50n));
    const seen = [shown((await slow.next()).value), shown((await slow.next()).value), shown((await slow.next()).value)];
    expect(seen.at(-1)).toBe('PRECONFIRMED bb 0');
    live.close();
  });

  it('follows the feed only while somebody listens', async () => {
    const { live, push, subscribe, opened } = start();
    expect(opened()).toBe(0);
    const one = subscribe();
    const first = one.next();
    await push(item(a, 0));
    await first;
    await one.return?.();
    await push(item(a, 1));
    const two = subscribe();
    const next = two.next();
    await push(item(b, 0));
    expect((await next).value).toMatchObject({ payloadId: expect.any(String) });
    expect(opened()).toBe(2);
    live.close();
  });
});
