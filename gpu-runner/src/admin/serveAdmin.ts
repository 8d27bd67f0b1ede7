import type { IncomingMessage, ServerResponse } from 'node:http';
import { describeError } from '@openledger/kit';

/** What the operator may ask of a running runner: by path, from the JSON that was posted to what is answered. */
export type AdminRoutes = Readonly<Record<string, (command: unknown) => Promise<unknown>>>;

/** The running runner's side of the admin socket. */
export const serveAdmin = (routes: AdminRoutes) => async (incoming: IncomingMessage, response: ServerResponse) => {
  const answer = (status: number, body: unknown) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  try {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const route = incoming.method === 'POST' ? routes[incoming.url ?? ''] : undefined;
    if (!route) return answer(404, { error: 'there is no such command' });
    answer(200, { result: await route(JSON.parse(Buffer.concat(chunks).toString('utf8'))) });
  } catch (error) {
    answer(400, { error: describeError(error) });
  }
};
