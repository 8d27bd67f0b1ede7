import { readFileSync } from 'node:fs';
import { parseUpgradeBundle } from '@openledger/chain-config';
import {
  type ConfigOf,
  type ConfigTable,
  createLogger,
  type LogLevel,
  OpenLedgerError,
  parseBoolean,
  parseInteger,
  parseText,
} from '@openledger/kit';
import { type Genesis, type NodeRole, startNode } from '@openledger/node';
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
  l1: shared.l1,
  l1Beacon: {
    flag: 'l1.beacon',
    description: 'L1 beacon API; without it no blobs can be read',
    parse: parseText,
    default: '',
  },
  l1Trust: {
    flag: 'l1.trustrpc',
    description: 'take the L1 endpoint at its word; only for your own, on the same machine',
    parse: parseBoolean,
    default: false,
  },
  host: { flag: 'rpc.addr', description: 'address to listen on', parse: parseText, default: '127.0.0.1' },
  port: port('rpc.port', 'port for JSON-RPC, WebSocket, events, health and metrics', 8545),
  cors: {
    flag: 'http.corsdomain',
    description: 'browser origins that may call, comma separated; * for any',
    parse: list,
    default: [] as string[],
  },
  karstBundle: {
    flag: 'karst-bundle',
    description: 'karst_nut_bundle.json of the OP Stack, for a chain that meets Karst after its genesis',
    parse: parseText,
    default: '',
  },
  sequencer: { flag: 'sequencer.enabled', description: 'make blocks', parse: parseBoolean, default: false },
  verifier: {
    flag: 'verifier',
    description: 'follow from L1 alone (the default when nothing else says who extends the chain)',
    parse: parseBoolean,
    default: false,
  },
  sequencerHttp: {
    flag: 'rollup.sequencerhttp',
    description: 'RPC of the sequencer: its unsafe blocks are taken, transactions are handed on to it',
    parse: parseText,
    default: '',
  },
  jwtSecret: {
    flag: 'authrpc.jwtsecret',
    description: 'file with the secret of the Engine API; a consensus client then drives this node',
    parse: parseText,
    default: '',
  },
  authHost: { flag: 'authrpc.addr', description: 'address of the Engine API', parse: parseText, default: '127.0.0.1' },
  authPort: port('authrpc.port', 'port of the Engine API', 8551),
  l1Confs: {
    flag: 'sequencer.l1-confs',
    description: 'L1 blocks that must stand on an origin before it is used',
    parse: parseInteger(0),
    default: 4,
  },
  flashblockMs: {
    flag: 'sequencer.flashblock-ms',
    description: 'milliseconds between partial blocks, which preconfirm transactions; 0 makes none',
    parse: parseInteger(0, 60_000),
    default: 200,
  },
  maxPoolBytes: {
    flag: 'txpool.max-bytes',
    description: 'bytes of transactions that may wait; beyond it senders are told to come back',
    parse: parseInteger(1024 * 1024),
    default: 32 * 1024 * 1024,
  },
  verifierConfs: {
    flag: 'verifier.l1-confs',
    description: 'L1 blocks that must stand on one before it is derived from',
    parse: parseInteger(0),
    default: 0,
  },
  clockOffset: shared.clockOffset,
  logLevel: shared.logLevel,
} satisfies ConfigTable;

/** @throws ROLE_CONFLICT when the flags name more than one who extends the chain */
const roleOf = (config: ConfigOf<typeof nodeConfig>): NodeRole => {
  const roles: NodeRole[] = [
    ...(config.sequencer
      ? [{ kind: 'sequencer' as const, l1Confirmations: BigInt(config.l1Confs), flashblockMs: config.flashblockMs }]
      : []),
    ...(config.verifier ? [{ kind: 'verifier' as const }] : []),
    ...(config.sequencerHttp ? [{ kind: 'follower' as const, sequencerUrl: config.sequencerHttp }] : []),
    ...(config.jwtSecret
      ? [{ kind: 'engine' as const, host: config.authHost, port: config.authPort, jwtSecretPath: config.jwtSecret }]
      : []),
  ];
  if (roles.length <= 1) return roles[0] ?? { kind: 'verifier' };
  throw new OpenLedgerError(`a node can't be ${roles.map(({ kind }) => kind).join(' and ')} at once`, {
    code: 'ROLE_CONFLICT',
    handling: 'fatal',
    action: 'Give one of --sequencer.enabled, --verifier, --rollup.sequencerhttp and --authrpc.jwtsecret.',
  });
};

const withKarst = (genesis: Genesis, path: string): Genesis => ({
  ...genesis,
  config: { ...genesis.config, karstBundle: parseUpgradeBundle(readFileSync(path, 'utf8')) },
});

/** `openledger node`: a sequencer, a verifier of L1, a follower of a sequencer, or what a consensus client drives. */
const run = async (config: ConfigOf<typeof nodeConfig>): Promise<void> => {
  const log = createLogger({ name: 'node', level: config.logLevel as LogLevel });
  const chain = readChainFile(config.chain);
  const node = await startNode(
    {
      dataDir: config.dataDir,
      genesis: config.karstBundle ? withKarst(chain.genesis, config.karstBundle) : chain.genesis,
      l1: { url: config.l1, ...(config.l1Beacon ? { beaconUrl: config.l1Beacon } : {}), trustRpc: config.l1Trust },
      host: config.host,
      port: config.port,
      corsOrigins: config.cors,
      role: roleOf(config),
      verifierL1Confirmations: BigInt(config.verifierConfs),
      maxPoolBytes: config.maxPoolBytes,
      clockOffsetMs: config.clockOffset,
    },
    { log },
  );
  await runUntilStopped(node, log);
};

export const command = defineCommand('an L2 node', nodeConfig, run);
