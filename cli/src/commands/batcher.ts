import { type ConfigOf, type ConfigTable, parseInteger, parseText } from '@openledger/kit';
import { rollupConfigOf, startBatcher } from '@openledger/node';
import { defineCommand, shared } from '../options.ts';
import { runUntilStopped } from './runUntilStopped.ts';
import { prepareSender, senderOptions } from './sender.ts';

const oneOf =
  <T extends string>(...choices: readonly T[]) =>
  (text: string): T => {
    const found = choices.find((choice) => choice === text);
    if (!found) throw new RangeError(`expected ${choices.join(', ')}`);
    return found;
  };

const batcherConfig = {
  ...senderOptions,
  node: { ...shared.node, description: 'RPC of the sequencer' },
  dataDir: { flag: 'datadir', description: 'folder of the journal', parse: parseText, default: '.openledger/batcher' },
  dataAvailability: {
    flag: 'data-availability-type',
    description: 'calldata, blobs, or auto for whichever is cheaper',
    parse: oneOf('calldata', 'blobs', 'auto'),
    default: 'auto' as const,
  },
  batchKind: {
    flag: 'batch-type',
    description: 'span or singular',
    parse: oneOf('span', 'singular'),
    default: 'span' as const,
  },
  maxChannelDuration: {
    flag: 'max-channel-duration',
    description: 'L1 blocks after which a channel is sent even if it is not full',
    parse: parseInteger(1),
    default: 5,
  },
  pollInterval: { flag: 'poll-interval', description: 'milliseconds', parse: parseInteger(50), default: 2_000 },
} satisfies ConfigTable;

/** `openledger batcher`: puts the sequencer's blocks on L1. */
const run = async (config: ConfigOf<typeof batcherConfig>): Promise<void> => {
  const { log, chain, signer } = await prepareSender('batcher', config);
  const { genesis } = chain;
  const batcher = await startBatcher({
    dataDir: config.dataDir,
    nodeUrl: config.node,
    l1Url: config.l1,
    config: await rollupConfigOf(genesis),
    signer,
    options: {
      dataAvailability: config.dataAvailability,
      batchKind: config.batchKind,
      maxChannelDuration: BigInt(config.maxChannelDuration),
      pollIntervalMs: config.pollInterval,
    },
    confirmations: config.confirmations,
    log,
  });
  await runUntilStopped(batcher, log);
};

export const command = defineCommand('put the blocks of a sequencer on L1', batcherConfig, run);
