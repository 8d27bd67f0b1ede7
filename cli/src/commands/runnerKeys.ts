import { type KeyAdmin, withKeyAdmin } from '@openledger/gpu-runner';
import { type ConfigTable, parseBoolean, parseInteger, parseText } from '@openledger/kit';
import { defineCommand } from '../options.ts';

const where = {
  dataDir: {
    flag: 'datadir',
    description: 'the runner’s folder',
    parse: parseText,
    default: '.openledger/runner',
  },
  databaseUrl: {
    flag: 'database.url',
    description: 'the runner’s PostgreSQL URL, when it has one',
    parse: parseText,
    default: '',
    secret: true,
  },
} satisfies ConfigTable;

const withKeys = <T>(
  config: { dataDir: string; databaseUrl: string },
  work: (keys: KeyAdmin) => Promise<T>,
): Promise<T> =>
  withKeyAdmin({ dataDir: config.dataDir, ...(config.databaseUrl ? { databaseUrl: config.databaseUrl } : {}) }, work);

const print = (value: unknown): void => console.log(JSON.stringify(value));

const addTable = {
  ...where,
  name: { flag: 'name', description: 'whose key it is, for the list', parse: parseText },
  requestsPerMinute: {
    flag: 'requests-per-minute',
    description: 'calls that the key may make in a minute',
    parse: parseInteger(1, 1_000_000),
    default: 60,
  },
  tokensPerDay: {
    flag: 'tokens-per-day',
    description: 'tokens, prompt and answer, that the key may use in a UTC day',
    parse: parseInteger(1),
    default: 1_000_000,
  },
  operator: {
    flag: 'operator',
    description: 'whether the key may also load and unload adapters',
    parse: parseBoolean,
    default: false,
  },
} satisfies ConfigTable;

/** `openledger runner keys add`: the key is printed here and never again. */
export const addCommand = defineCommand(
  'makes an API key, with its quota; works while the runner is up',
  addTable,
  (config) =>
    withKeys(config, async (keys) => {
      const { name, requestsPerMinute, tokensPerDay, operator } = config;
      print(await keys.add({ name, requestsPerMinute, tokensPerDay, operator }));
    }),
);

/** `openledger runner keys list`: one JSON object a line. */
export const listCommand = defineCommand('lists API keys and what they used today', where, (config) =>
  withKeys(config, async (keys) => {
    for (const key of await keys.list()) print(key);
  }),
);

const revokeTable = {
  ...where,
  id: { flag: 'id', description: 'id of the key', parse: parseText },
} satisfies ConfigTable;

/** `openledger runner keys revoke`: from the next request on. */
export const revokeCommand = defineCommand('ends an API key', revokeTable, (config) =>
  withKeys(config, async (keys) => {
    if (!(await keys.revoke(config.id))) throw new Error(`there is no working key ${config.id}`);
    print({ revoked: config.id });
  }),
);
