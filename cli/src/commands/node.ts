import {
  type ConfigOf,
  type ConfigTable,
  createLogger,
  type LogLevel,
  parseBoolean,
  parseInteger,
  parseText,
  parseUrl,
} from '@openledger/kit';
import { startNode } from '@openledger/node';
import { readChainFile } from '../chainFile.ts';
import { defineCommand, list, port, shared } from '../options.ts';
import { runUntilStopped } from './runUntilStopped.ts';

const nodeConfig = {
  chain: shared.chain,
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
  clockOffset: shared.clockOffset,
  logLevel: shared.logLevel,
} satisfies ConfigTable;

/** `openledger node`: a sequencer, or a follower of one. */
const run = async (config: ConfigOf<typeof nodeConfig>): Promise<void> => {
  const log = createLogger({ name: 'node', level: config.logLevel as LogLevel });
  const chain = readChainFile(config.chain);
  const node = await startNode(
    {
      dataDir: config.dataDir,
      genesis: chain.genesis,
      l1Url: config.l1,
      host: config.host,
      port: config.port,
      corsOrigins: config.cors,
      sequencer: {
        enabled: config.sequencer,
        l1Confirmations: BigInt(config.l1Confs),
        clockOffsetMs: config.clockOffset,
      },
    },
    { log },
  );
  await runUntilStopped(node, log);
};

export const command = defineCommand('an L2 node', nodeConfig, run);
