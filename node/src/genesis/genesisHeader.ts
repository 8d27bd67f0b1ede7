import type { BlockId, RollupConfig } from '@openledger/chain-config';
import type { LevelDb } from '@openledger/event-log';
import { OpRules } from '../execution/opRules.ts';
import type { Header } from '../primitives/header.ts';
import { StateStore } from '../state/stateStore.ts';
import { type Genesis, makeGenesisBlock } from './genesisBlock.ts';

const NOTHING_STORED = { get: async () => undefined } as unknown as LevelDb;

/** Header and hash of block 0, without a database. */
export const genesisHeader = async (genesis: Genesis): Promise<{ header: Header; hash: `0x${string}` }> => {
  const common = new OpRules(genesis.config).commonAt({ number: 0n, timestamp: genesis.timestamp });
  const { block } = await makeGenesisBlock(genesis, new StateStore(NOTHING_STORED), common);
  return { header: block.header, hash: block.hash };
};

/** The configuration as nodes use it: with block 0 of L2. */
export const rollupConfigOf = async (genesis: Genesis): Promise<RollupConfig> => {
  const { header, hash } = await genesisHeader(genesis);
  const l2: BlockId = { hash, number: header.number };
  return { ...genesis.config, genesis: { ...genesis.config.genesis, l2, l2Time: genesis.timestamp } };
};
