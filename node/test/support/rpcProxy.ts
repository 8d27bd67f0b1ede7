import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

type RpcRequest = { id: unknown; method: string; params: unknown[] };
// biome-ignore lint/suspicious/noExplicitAny: answers are changed at will.
type Answer = any;

export type RpcProxy = {
  readonly url: string;
  /** Methods and paths that were asked for, in order. */
  readonly calls: string[];
  /** Changes an answer; throwing makes the endpoint refuse with that error's message and code. */
  tamper: (method: string, result: Answer) => Answer;
  /** When set, every request gets this HTTP status. */
  status: number | undefined;
  close(): Promise<void>;
};

const bodyOf = async (request: IncomingMessage): Promise<string> => {
  let body = '';
  for await (const chunk of request) body += chunk;
  return body;
};

/** Stands before a real endpoint, JSON-RPC and GET, and lies as the test says. */
export const startRpcProxy = async (target: string): Promise<RpcProxy> => {
  const proxy = { calls: [] as string[], tamper: (_: string, result: Answer) => result, status: undefined } as RpcProxy;
  const rpc = async (request: RpcRequest): Promise<unknown> => {
    proxy.calls.push(request.method);
    const response = await fetch(target, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', ...request }),
    });
    const answer = (await response.json()) as { result?: Answer };
    try {
      return 'result' in answer ? { ...answer, result: proxy.tamper(request.method, answer.result) } : answer;
    } catch (error) {
      const { message, code = -32_000 } = error as Error & { code?: number };
      return { jsonrpc: '2.0', id: request.id, error: { code, message } };
    }
  };
  const server = createServer(async (request, response) => {
    if (proxy.status !== undefined) return response.writeHead(proxy.status).end('{}');
    if (request.method === 'GET') {
      const path = request.url ?? '/';
      proxy.calls.push(path);
      const answer = await fetch(`${target}${path}`);
      const text = await answer.text();
      const body = answer.ok ? JSON.stringify(proxy.tamper(path, JSON.parse(text))) : text;
      return response.writeHead(answer.status, { 'content-type': 'application/json' }).end(body);
    }
    const body = JSON.parse(await bodyOf(request)) as RpcRequest | RpcRequest[];
    const answer = Array.isArray(body) ? await Promise.all(body.map(rpc)) : await rpc(body);
    return response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return Object.assign(proxy, {
    url,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  });
};
