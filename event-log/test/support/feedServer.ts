import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { serveEvents } from '../../src/serveEvents.ts';
import type { EventReader } from '../../src/types.ts';

export type FeedServer = { readonly url: string; readonly port: number; close(): Promise<void> };

/** The two routes that a node serves of its log, on a real socket. */
export const startFeed = async (reader: EventReader, port = 0): Promise<FeedServer> => {
  const abort = new AbortController();
  const streams = new Set<Promise<void>>();
  const server = createServer((request, response) => {
    if (request.url === '/events/head') {
      void reader
        .head()
        .then((head) => response.end(JSON.stringify(head && { ...head, number: `${head.number}` }) ?? 'null'));
      return;
    }
    const stream = serveEvents(reader, request, response, abort.signal).catch(() => {});
    streams.add(stream);
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const address = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${address.port}`,
    port: address.port,
    close: async () => {
      abort.abort();
      await Promise.all(streams);
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};
