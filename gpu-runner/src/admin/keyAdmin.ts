import { type IncomingMessage, request, type ServerResponse } from 'node:http';
import { describeError } from '@openledger/kit';
import { runnerError } from '../errors.ts';
import { ApiKeys } from '../gateway/apiKeys.ts';
import { openRunnerDatabase } from '../queue/database.ts';
import { adminSocketPath, openAdminSocket } from './adminSocket.ts';

/** What an operator does with keys, whether a runner is up or not. */
export type KeyAdmin = Pick<ApiKeys, 'add' | 'list' | 'revoke'>;

type Command =
  | { readonly do: 'add'; readonly options: Parameters<KeyAdmin['add']>[0] }
  | { readonly do: 'list' }
  | { readonly do: 'revoke'; readonly id: string };

const run = (keys: KeyAdmin, command: Command): Promise<unknown> => {
  if (command.do === 'add') return keys.add(command.options);
  return command.do === 'list' ? keys.list() : keys.revoke(command.id);
};

/** The running runner's side of the admin socket. */
export const serveKeyAdmin = (keys: KeyAdmin) => async (incoming: IncomingMessage, response: ServerResponse) => {
  try {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    if (incoming.method !== 'POST') return response.writeHead(404).end();
    const result = await run(keys, JSON.parse(Buffer.concat(chunks).toString('utf8')) as Command);
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ result }));
  } catch (error) {
    response
      .writeHead(400, { 'content-type': 'application/json' })
      .end(JSON.stringify({ error: describeError(error) }));
  }
};

/** Keys of the runner with this data directory: through its socket when it is up, otherwise in its database. */
export const withKeyAdmin = async <T>(
  options: { dataDir: string; databaseUrl?: string },
  work: (keys: KeyAdmin) => Promise<T>,
): Promise<T> => {
  const path = adminSocketPath(options.dataDir);
  const ask = async <R>(command: Command): Promise<R> => (await post(path, command)) as R;
  const remote: KeyAdmin = {
    add: (key) => ask({ do: 'add', options: key }),
    list: () => ask({ do: 'list' }),
    revoke: (id) => ask({ do: 'revoke', id }),
  };
  try {
    return await work(remote);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'ECONNREFUSED') throw error;
  }
  const socket = await openAdminSocket(options.dataDir);
  try {
    const database = await openRunnerDatabase({
      dataDir: `${options.dataDir}/database`,
      ...(options.databaseUrl ? { url: options.databaseUrl } : {}),
    });
    try {
      return await work(new ApiKeys({ database, now: Date.now }));
    } finally {
      await database.close();
    }
  } finally {
    await socket.close();
  }
};

const post = (socketPath: string, command: Command): Promise<unknown> =>
  new Promise((resolve, reject) => {
    const outgoing = request({ socketPath, method: 'POST', path: '/keys' }, async (response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of response) chunks.push(chunk as Buffer);
      const text = Buffer.concat(chunks).toString('utf8');
      const { result, error } = (text === '' ? { error: 'no answer' } : JSON.parse(text)) as {
        result?: unknown;
        error?: string;
      };
      if (response.statusCode === 200) resolve(result);
      else reject(runnerError('REQUEST_INVALID', error ?? 'the runner refused'));
    });
    outgoing.on('error', reject);
    outgoing.end(JSON.stringify(command));
  });
