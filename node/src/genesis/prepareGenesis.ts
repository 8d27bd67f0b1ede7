import type { RollupConfig } from '@openledger/chain-config';
import type { ChainRules } from '../execution/chainRules.ts';
import { OpRules } from '../execution/opRules.ts';
import { type Block, blockIdOf } from '../primitives/block.ts';
import { hashHeader } from '../primitives/header.ts';
import type { StateStore } from '../state/stateStore.ts';
import { type BlockZero, makeBlockZero } from './blockZero.ts';
import { type Genesis, makeGenesisBlock } from './genesisBlock.ts';

/** A plain Ethereum chain instead of a rollup: block 0 and the rules of its genesis file. */
export type EthereumGenesis = BlockZero & { readonly rules: ChainRules };

/** A chain's rules, its block 0 with the state to be written, and what it is as a rollup. */
export const prepareGenesis = async (genesis: Genesis | EthereumGenesis, states: StateStore) => {
  const zero = { number: 0n, timestamp: genesis.timestamp };
  if ('rules' in genesis) {
    const { rules } = genesis;
    const { header, stateWrites } = await makeBlockZero(genesis, states, rules.commonAt(zero));
    const { origin, sequenceNumber } = rules.l1OriginOf([]);
    const body = { transactions: [], receipts: [], withdrawals: [], uncles: [] };
    const block: Block = { hash: hashHeader(header), header, ...body, l1Origin: origin, sequenceNumber };
    return { rules, block, stateWrites, config: undefined };
  }
  const rules = new OpRules(genesis.config);
  const { block, stateWrites } = await makeGenesisBlock(genesis, states, rules.commonAt(zero));
  const l2 = blockIdOf(block);
  const config: RollupConfig = {
    ...genesis.config,
    genesis: { ...genesis.config.genesis, l2, l2Time: genesis.timestamp },
  };
  return { rules, block, stateWrites, config };
};
