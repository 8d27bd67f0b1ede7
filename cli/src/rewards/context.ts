import { openLedgerChain } from '@openledger/chain-config';
import { createOpenLedgerClient } from '@openledger/client';
import { createRemoteReader } from '@openledger/event-log';
import { type ConfigOf, type ConfigTable, createLogger, type LogLevel, parseText } from '@openledger/kit';
import type { ChainAccess, LedgerRules } from '@openledger/rewards';
import { createPublicClient, http, type PublicClient } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { readChainFile } from '../chainFile.ts';
import { shared } from '../options.ts';
import { readKey } from '../signingKey.ts';
import { rpcAccess } from './rpcAccess.ts';

/** Options of the commands that only read. */
export const readerOptions = { chain: shared.chain, node: shared.node } satisfies ConfigTable;

/** Options of the commands that send to L2. */
export const senderOptions = {
  ...readerOptions,
  ...shared.signer,
  dataDir: {
    flag: 'datadir',
    description: 'folder of the epochs’ files',
    parse: parseText,
    default: '.openledger/rewards',
  },
  logLevel: shared.logLevel,
} satisfies ConfigTable;

export const readerContext = ({ chain: path, node }: ConfigOf<typeof readerOptions>) => {
  const file = readChainFile(path);
  const chain = openLedgerChain({
    id: file.genesis.config.l2ChainId,
    name: file.name,
    rpcUrl: node,
    l1ChainId: file.genesis.config.l1ChainId,
    contracts: file.l1Contracts,
  });
  const rules: LedgerRules = { platform: file.governance };
  return {
    chain,
    rules,
    chainId: chain.id,
    reader: createRemoteReader({ url: node }),
    public: createPublicClient({ chain, transport: http() }) as PublicClient,
  };
};

export const senderContext = async (name: string, config: ConfigOf<typeof senderOptions>) => {
  const context = readerContext(config);
  const key = await readKey({ ...config, flag: shared.signer.keyFile.flag });
  const client = createOpenLedgerClient({ chain: context.chain, account: privateKeyToAccount(key) });
  const access: ChainAccess = rpcAccess({ ...context, client });
  return { ...context, access, log: createLogger({ name, level: config.logLevel as LogLevel }) };
};
