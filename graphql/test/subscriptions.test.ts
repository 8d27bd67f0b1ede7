import { testDatabases } from '@openledger/indexer/testing';
import { createClient } from 'graphql-ws';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { startStack, type TestStack } from './support.ts';

// biome-ignore lint/suspicious/noExplicitAny: payloads are as different as subscriptions.
type Payload = any;
type Stream = { next(): Promise<Payload>; close(): Promise<void> };

/** Over server-sent events, as a browser's EventSource reads them. */
const overSse = async (url: string, query: string): Promise<Stream> => {
  const abort = new AbortController();
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
    body: JSON.stringify({ query }),
    signal: abort.signal,
  });
  const lines = (async function* () {
    let text = '';
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      text += Buffer.from(chunk).toString();
      const parts = text.split('\n\n');
      text = parts.pop() ?? '';
      for (const part of parts) {
        const data = /^data: ?(.+)$/m.exec(part)?.[1];
        if (data) yield JSON.parse(data);
      }
    }
  })();
  return {
    next: async () => (await lines.next()).value,
    close: async () => abort.abort(),
  };
};

const overWebsocket = async (url: string, query: string): Promise<Stream> => {
  const client = createClient({ url: url.replace('http', 'ws'), webSocketImpl: WebSocket });
  const results = client.iterate({ query });
  return { next: async () => (await results.next()).value, close: async () => client.dispose() };
};

const transports = [
  { transport: 'server-sent events', connect: overSse },
  { transport: 'graphql-ws', connect: overWebsocket },
];

describe.each(testDatabases)('subscriptions on $name', ({ open }) => {
  describe.each(transports)('over $transport', ({ connect }) => {
    let stack: TestStack;
    const streams: Stream[] = [];
    beforeAll(async () => {
      stack = await startStack(open, { blocks: 8 });
    });
    afterAll(async () => {
      for (const stream of streams) await stream.close();
      await stack.close();
    });
    const subscribe = async (query: string): Promise<Stream> => {
      const stream = await connect(stack.server.url, query);
      streams.push(stream);
      return stream;
    };

    it('streams events from a position on, and tells of a reorg', async () => {
      const { data } = await stack.ask('{ events(first: 1) { nodes { position } } }');
      const after = data.events.nodes[0].position;
      const stream = await subscribe(
        `subscription { events(types: ["RecipientSet"], after: ${after}) { revertedTo event { type blockNumber block { hash } } } }`,
      );
      const account = `0x${'11'.repeat(20)}` as const;
      const event = { type: 'RecipientSet', args: { account, recipient: account } } as const;
      const first = await stack.chain.mineEvents([event]);
      const seen = (await stream.next()).data.events;
      expect(seen).toEqual({
        revertedTo: null,
        event: { type: 'RecipientSet', blockNumber: Number(first.number), block: { hash: first.hash } },
      });
      await stack.chain.reorg(1);
      const second = await stack.chain.mineEvents([event]);
      expect((await stream.next()).data.events).toEqual({ revertedTo: Number(first.number) - 1, event: null });
      expect((await stream.next()).data.events.event.block.hash).toBe(second.hash);
    });

    it('streams blocks as they come', async () => {
      const stream = await subscribe('subscription { newBlocks { number hash } }');
      const pending = stream.next();
      // The subscription counts from when the server took it: mine until it is seen.
      let seen: Payload;
      const arrived = pending.then((value) => {
        seen = value;
      });
      while (!seen) {
        await stack.chain.mine();
        await Promise.race([arrived, new Promise((resolve) => setTimeout(resolve, 300))]);
      }
      const { number, hash } = seen.data.newBlocks;
      expect(stack.chain.blocks[number]?.hash).toBe(hash);
      await stack.caughtUp();
    });

    it('shows a job and then each of its steps', async () => {
      const jobId = 900n;
      const runner = `0x${'22'.repeat(20)}` as const;
      const request = { jobId, requester: runner, modelId: 1n, datanetId: 1n, datanetVersion: 1, fee: 5n };
      await stack.chain.mineEvents([{ type: 'JobRequested', args: { ...request, deadline: 9n, params: '{}' } }]);
      await stack.caughtUp();
      const stream = await subscribe(`subscription { jobUpdated(id: "${jobId}") { status attempt leaseUntil } }`);
      expect((await stream.next()).data.jobUpdated).toEqual({ status: 'REQUESTED', attempt: 0, leaseUntil: null });
      await stack.chain.mineEvents([{ type: 'JobClaimed', args: { jobId, runner, attempt: 1, leaseUntil: 77n } }]);
      expect((await stream.next()).data.jobUpdated).toEqual({ status: 'CLAIMED', attempt: 1, leaseUntil: '77' });
    });

    it('refuses a subscription that is too deep', async () => {
      const nested = (depth: number): string => (depth === 0 ? 'modelId' : `parent { ${nested(depth - 1)} }`);
      const query = `subscription { jobUpdated(id: "1") { model { ${nested(40)} } } }`;
      const answer = await subscribe(query)
        .then((stream) => stream.next())
        .catch((error: unknown) => error);
      expect(JSON.stringify(answer)).toContain('TOO_DEEP');
    });
  });
});

describe('WebSockets', () => {
  it('turns foreign pages and foreign paths away', async () => {
    const stack = await startStack(testDatabases[0]!.open, { blocks: 2 });
    const url = stack.server.url.replace('http', 'ws');
    const refusal = (socket: WebSocket) =>
      new Promise<number | undefined>((resolve) => {
        socket.on('unexpected-response', (_request, response) => resolve(response.statusCode));
        socket.on('open', () => resolve(undefined));
        socket.on('error', () => undefined);
      });
    const protocol = 'graphql-transport-ws';
    expect(await refusal(new WebSocket(url, protocol, { origin: 'https://evil.example' }))).toBe(403);
    expect(await refusal(new WebSocket(url.replace('/graphql', '/other'), protocol))).toBe(404);
    const own = new WebSocket(url, protocol, { origin: new URL(stack.server.url).origin });
    expect(await refusal(own)).toBeUndefined();
    own.close();
    await stack.close();
  });
});
