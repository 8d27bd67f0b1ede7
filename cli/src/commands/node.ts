import { type ConfigOf, createLogger, type LogLevel } from '@openledger/kit';
import { startNode } from '@openledger/node';
import { readChainFile } from '../chainFile.ts';
import type { nodeConfig } from '../options.ts';
import { runUntilStopped } from './runUntilStopped.ts';

/** `openledger node`: a sequencer, or a follower of one. */
export const nodeCommand = async (config: ConfigOf<typeof nodeConfig>): Promise<void> => {
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
