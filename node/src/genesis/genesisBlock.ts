import type { Common } from '@ethereumjs/common';
import { activeFork, isForkActive, opPredeploys, type RollupConfig } from '@openledger/chain-config';
import type { PutOp } from '@openledger/event-log';
import { encodeExtraData } from '../execution/baseFee.ts';
import type { Block } from '../primitives/block.ts';
import { EMPTY_TRIE_ROOT, type Header, hashHeader, ZERO_HASH, ZERO_NONCE } from '../primitives/header.ts';
import type { StateStore } from '../state/stateStore.ts';
import { type BlockZero, type GenesisHeader, makeBlockZero } from './blockZero.ts';

/** Everything that fixes a chain: the state of block 0 and the L1 block that it starts from. */
export type Genesis = Omit<BlockZero, 'header'> & {
  /** As the genesis file of an existing chain has it; a new chain's follows from its configuration. */
  readonly header?: GenesisHeader;
  readonly config: Omit<RollupConfig, 'genesis'> & { genesis: Omit<RollupConfig['genesis'], 'l2' | 'l2Time'> };
};

/** Header of a chain that is new: gas limit and fee parameters of its SystemConfig, the sequencer's vault as coinbase. */
export const newChainHeader = ({ config, timestamp }: Pick<Genesis, 'config' | 'timestamp'>): GenesisHeader => ({
  number: 0n,
  parentHash: ZERO_HASH,
  coinbase: opPredeploys.sequencerFeeVault,
  difficulty: 0n,
  gasLimit: config.genesis.systemConfig.gasLimit,
  gasUsed: 0n,
  extraData: encodeExtraData(activeFork(config.forks, timestamp), config.eip1559, config.genesis.systemConfig),
  mixHash: ZERO_HASH,
  nonce: ZERO_NONCE,
});

/** Block 0 of an L2 with its state writes; `common` has the rules of its timestamp. Same input, same hash. */
export const makeGenesisBlock = async (
  genesis: Genesis,
  states: StateStore,
  common: Common,
): Promise<{ block: Block; stateWrites: PutOp[] }> => {
  const zero: BlockZero = { ...genesis, header: genesis.header ?? newChainHeader(genesis) };
  const { header: computed, storageRoots, stateWrites } = await makeBlockZero(zero, states, common);
  const header: Header = isForkActive(genesis.config.forks, 'isthmus', genesis.timestamp)
    ? { ...computed, withdrawalsRoot: storageRoots.get(opPredeploys.l2ToL1MessagePasser) ?? EMPTY_TRIE_ROOT }
    : computed;
  const block: Block = {
    hash: hashHeader(header),
    header,
    transactions: [],
    receipts: [],
    withdrawals: [],
    uncles: [],
    l1Origin: genesis.config.genesis.l1,
    sequenceNumber: 0n,
  };
  return { block, stateWrites };
};
