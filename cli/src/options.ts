import { type ConfigOf, type ConfigTable, parseInteger, parseText, parseUrl, readConfig } from '@openledger/kit';

export const ENV_PREFIX = 'OPENLEDGER';

/** DATABASE_URL is what every hosting platform sets; our own name wins. */
const environment = () => ({ [`${ENV_PREFIX}_DATABASE_URL`]: process.env.DATABASE_URL, ...process.env });

/** A command of the CLI: one module each, loaded when it is asked for, so that a process loads only what it runs. */
export type Command = {
  readonly summary: string;
  readonly table: ConfigTable;
  run(flags: Record<string, string>): Promise<void>;
};

export const defineCommand = <T extends ConfigTable>(
  summary: string,
  table: T,
  run: (config: ConfigOf<T>) => Promise<void>,
): Command => ({
  summary,
  table,
  run: (flags) => run(readConfig(table, { prefix: ENV_PREFIX, flags, env: environment() })),
});

export const port = (flag: string, description: string, fallback: number) => ({
  flag,
  description,
  parse: parseInteger(0, 65_535),
  default: fallback,
});

export const list = (text: string): string[] => text.split(',').filter(Boolean);

/** Options that several commands share. */
export const shared = {
  chain: {
    flag: 'chain',
    description: 'chain.json of the network',
    parse: parseText,
    default: '.openledger/chain.json',
  },
  node: {
    flag: 'node',
    description: 'URL of the node whose event feed is read',
    parse: parseUrl,
    default: 'http://127.0.0.1:8545',
  },
  l1: { flag: 'l1', description: 'L1 JSON-RPC endpoint', parse: parseUrl },
  signer: {
    keyFile: {
      flag: 'key-file',
      description: 'key that signs on L1: hex, or a keystore',
      parse: parseText,
      default: '',
    },
    passwordFile: { flag: 'password-file', description: 'password of the keystore', parse: parseText, default: '' },
    key: {
      flag: 'insecure-private-key',
      description: 'the key itself; by the environment only, and better not at all',
      parse: parseText,
      default: '',
      secret: true,
    },
  },
  logLevel: {
    flag: 'log.level',
    description: 'trace, debug, info, warn or error',
    parse: parseText,
    default: 'info',
  },
  clockOffset: {
    flag: 'clock-offset',
    description: 'milliseconds added to the clock; for dev chains that were stopped for long',
    parse: parseInteger(Number.MIN_SAFE_INTEGER),
    default: 0,
  },
} as const;
