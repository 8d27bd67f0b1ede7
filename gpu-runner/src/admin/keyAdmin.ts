import { ApiKeys } from '../gateway/apiKeys.ts';
import { openRunnerDatabase } from '../queue/database.ts';
import { askAdmin } from './adminClient.ts';
import { adminSocketPath, openAdminSocket } from './adminSocket.ts';
import type { AdminRoutes } from './serveAdmin.ts';

/** What an operator does with keys, whether a runner is up or not. */
export type KeyAdmin = Pick<ApiKeys, 'add' | 'list' | 'revoke'>;

const PATH = '/keys';

type Command =
  | { readonly do: 'add'; readonly options: Parameters<KeyAdmin['add']>[0] }
  | { readonly do: 'list' }
  | { readonly do: 'revoke'; readonly id: string };

const run = (keys: KeyAdmin, command: Command): Promise<unknown> => {
  if (command.do === 'add') return keys.add(command.options);
  return command.do === 'list' ? keys.list() : keys.revoke(command.id);
};

/** The keys' part of the running runner's admin socket. */
export const keyRoutes = (keys: KeyAdmin): AdminRoutes => ({
  [PATH]: (command) => run(keys, command as Command),
});

/** Keys of the runner with this data directory: through its socket when it is up, otherwise in its database. */
export const withKeyAdmin = async <T>(
  options: { dataDir: string; databaseUrl?: string },
  work: (keys: KeyAdmin) => Promise<T>,
): Promise<T> => {
  const path = adminSocketPath(options.dataDir);
  const ask = async <R>(command: Command): Promise<R> => (await askAdmin(path, PATH, command)) as R;
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
