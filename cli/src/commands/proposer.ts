import { type ConfigOf, type ConfigTable, parseBoolean, parseInteger, parseText } from '@openledger/kit';
import { startProposer } from '@openledger/node';
import { defineCommand, shared } from '../options.ts';
import { runUntilStopped } from './runUntilStopped.ts';
import { prepareSender, senderOptions } from './sender.ts';

const proposerConfig = {
  ...senderOptions,
  node: { ...shared.node, description: 'RPC of a node that derives from L1' },
  dataDir: { flag: 'datadir', description: 'folder of the journal', parse: parseText, default: '.openledger/proposer' },
  allowNonFinalized: {
    flag: 'allow-non-finalized',
    description: 'propose outputs of safe blocks, which an L1 reorg may still change',
    parse: parseBoolean,
    default: false,
  },
  pollInterval: { flag: 'poll-interval', description: 'milliseconds', parse: parseInteger(50), default: 6_000 },
} satisfies ConfigTable;

/** `openledger proposer`: puts output roots on L1, which withdrawals are proven against. */
const run = async (config: ConfigOf<typeof proposerConfig>): Promise<void> => {
  const { log, chain, signer } = await prepareSender('proposer', config);
  const { genesis, l1Contracts } = chain;
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
