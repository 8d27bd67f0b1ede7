import { databaseConfig } from '@openledger/indexer';
import { type ConfigTable, parseBoolean, parseInteger, parseText, parseUrl } from '@openledger/kit';

export const ENV_PREFIX = 'OPENLEDGER';

const port = (flag: string, description: string, fallback: number) => ({
  flag,
  description,
  parse: parseInteger(0, 65_535),
  default: fallback,
});
const chain = {
  flag: 'chain',
  description: 'chain.json of the network',
  parse: parseText,
  default: '.openledger/chain.json',
};
const logLevel = {
  flag: 'log.level',
  description: 'trace, debug, info, warn or error',
  parse: parseText,
  default: 'info',
};
const clockOffset = {
  flag: 'clock-offset',
  description: 'milliseconds added to the clock; for dev chains that were stopped for long',
  parse: parseInteger(Number.MIN_SAFE_INTEGER),
  default: 0,
};
const list = (text: string): string[] => text.split(',').filter(Boolean);

export const nodeConfig = {
  chain,
  dataDir: {
    flag: 'datadir',
    description: 'folder of the chain database',
    parse: parseText,
    default: '.openledger/node',
  },
  l1: { flag: 'l1', description: 'L1 JSON-RPC endpoint', parse: parseUrl },
  host: { flag: 'rpc.addr', description: 'address to listen on', parse: parseText, default: '127.0.0.1' },
  port: port('rpc.port', 'port for JSON-RPC, WebSocket, events, health and metrics', 8545),
  cors: {
    flag: 'http.corsdomain',
    description: 'browser origins that may call, comma separated; * for any',
    parse: list,
    default: [] as string[],
  },
  sequencer: { flag: 'sequencer.enabled', description: 'make blocks', parse: parseBoolean, default: false },
  l1Confs: {
    flag: 'sequencer.l1-confs',
    description: 'L1 blocks that must stand on an origin before it is used',
    parse: parseInteger(0),
    default: 4,
  },
  clockOffset,
  logLevel,
} satisfies ConfigTable;

export const viewsConfig = {
  chain,
  ...databaseConfig,
  node: {
    flag: 'node',
    description: 'URL of the node whose event feed is read',
    parse: parseUrl,
    default: 'http://127.0.0.1:8545',
  },
  host: { flag: 'graphql.addr', description: 'address to listen on', parse: parseText, default: '127.0.0.1' },
  port: port('graphql.port', 'port for GraphQL', 4000),
  logLevel,
} satisfies ConfigTable;

export const runnerConfig = {
  chain,
  dataDir: {
    flag: 'datadir',
    description: 'folder of files, adapters and the queue',
    parse: parseText,
    default: '.openledger/runner',
  },
  node: viewsConfig.node,
  host: { flag: 'gateway.addr', description: 'address to listen on', parse: parseText, default: '127.0.0.1' },
  port: port('gateway.port', 'port for the OpenAI-compatible API and uploads', 8000),
  keyFile: {
    flag: 'account.key-file',
    description: 'file with the runner’s private key (mode 0600)',
    parse: parseText,
  },
  baseModels: {
    flag: 'base-models',
    description: 'folders of base models, comma separated',
    parse: list,
    default: ['gpu-runner/models/openledger-small'],
  },
  settleInterval: {
    flag: 'settle-interval',
    description: 'milliseconds between settlements',
    parse: parseInteger(100),
    default: 60_000,
  },
  cacheDir: {
    flag: 'cache-dir',
    description: 'folder for the engine’s Python environment',
    parse: parseText,
    default: '',
  },
  python: {
    flag: 'python',
    description: 'interpreter that has the engine’s requirements; made when empty',
    parse: parseText,
    default: '',
  },
  queueUrl: {
    flag: 'queue.url',
    description: 'PostgreSQL URL for the queue; embedded when empty',
    parse: parseText,
    default: '',
    secret: true,
  },
  clockOffset,
  logLevel,
} satisfies ConfigTable;
