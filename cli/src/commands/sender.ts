import {
  type ConfigOf,
  type ConfigTable,
  createLogger,
  type Logger,
  type LogLevel,
  parseInteger,
} from '@openledger/kit';
import type { LocalAccount } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { type ChainFile, readChainFile } from '../chainFile.ts';
import { shared } from '../options.ts';
import { readKey, refuseWellKnown } from '../signingKey.ts';

/** Options of every command that sends to L1. */
export const senderOptions = {
  chain: shared.chain,
  l1: shared.l1,
  ...shared.signer,
  confirmations: {
    flag: 'num-confirmations',
    description: 'L1 blocks on top of a transaction before it counts as there',
    parse: parseInteger(1),
    default: 10,
  },
  logLevel: shared.logLevel,
} satisfies ConfigTable;

/** What such a command starts from. @throws KEY_MISSING, KEY_INVALID, KEY_WELL_KNOWN */
export const prepareSender = async (
  name: string,
  config: ConfigOf<typeof senderOptions>,
): Promise<{ log: Logger; chain: ChainFile; signer: LocalAccount }> => {
  const log = createLogger({ name, level: config.logLevel as LogLevel });
  const chain = readChainFile(config.chain);
  const key = await readKey({ ...config, flag: shared.signer.keyFile.flag });
  const signer = privateKeyToAccount(key);
  refuseWellKnown({ [name]: signer.address }, chain.genesis.config.l1ChainId);
  return { log, chain, signer };
};
