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
import { startProposer } from '@openledger/node';
import { privateKeyToAccount } from 'viem/accounts';
import { readChainFile } from '../chainFile.ts';
import { defineCommand, shared } from '../options.ts';
import { readKey, refuseWellKnown } from '../signingKey.ts';
import { runUntilStopped } from './runUntilStopped.ts';

const proposerConfig = {
  chain: shared.chain,
  node: { ...shared.node, description: 'RPC of a node that derives from L1' },
  l1: { flag: 'l1', description: 'L1 JSON-RPC endpoint', parse: parseUrl },
  dataDir: { flag: 'datadir', description: 'folder of the journal', parse: parseText, default: '.openledger/proposer' },
  ...shared.signer,
  allowNonFinalized: {
    flag: 'allow-non-finalized',
    description: 'propose outputs of safe blocks, which an L1 reorg may still change',
    parse: parseBoolean,
    default: false,
  },
  pollInterval: { flag: 'poll-interval', description: 'milliseconds', parse: parseInteger(50), default: 6_000 },
  confirmations: {
    flag: 'num-confirmations',
    description: 'L1 blocks on top of a transaction before it counts as there',
    parse: parseInteger(1),
    default: 10,
  },
  logLevel: shared.logLevel,
} satisfies ConfigTable;

/** `openledger proposer`: puts output roots on L1, which withdrawals are proven against. */
const run = async (config: ConfigOf<typeof proposerConfig>): Promise<void> => {
  const log = createLogger({ name: 'proposer', level: config.logLevel as LogLevel });
  const { genesis, l1Contracts } = readChainFile(config.chain);
  const key = await readKey({ ...config, flag: shared.signer.keyFile.flag });
  const signer = privateKeyToAccount(key);
  refuseWellKnown({ proposer: signer.address }, genesis.config.l1ChainId);
  const proposer = await startProposer({
    dataDir: config.dataDir,
    nodeUrl: config.node,
    l1Url: config.l1,
    l1ChainId: genesis.config.l1ChainId,
    oracle: l1Contracts.l2OutputOracle,
    signer,
    allowNonFinalized: config.allowNonFinalized,
    pollIntervalMs: config.pollInterval,
    confirmations: config.confirmations,
    log,
  });
  await runUntilStopped(proposer, log);
};

export const command = defineCommand('put output roots on L1', proposerConfig, run);
