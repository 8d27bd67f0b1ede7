import type { RollupConfig } from '@openledger/chain-config';
import type { Hex } from 'viem';
import type { Genesis } from '../../../node/src/genesis/genesisBlock.ts';
import type { Block } from '../../../node/src/primitives/block.ts';
import { ScriptedL1 } from '../../../node/test/support/scriptedL1.ts';
import { TestChain } from '../../../node/test/support/testChain.ts';
import { makeGenesis } from '../../../node/test/support/testGenesis.ts';
import { addressOf, type Signer, signers } from '../evm/accounts.ts';
import { compile } from '../evm/compile.ts';
import { contractAddresses, tokenStorage, tokenTransfer, transfer } from '../evm/workloads.ts';

export const BLOCKS = 300;
/** In a block, from as many senders: transfers to new accounts and ERC-20 transfers to new holders in turns. */
export const TRANSACTIONS = 20;
const L1_BLOCK_TIME = 12n;
const GWEI = 10n ** 9n;
const BALANCE = 10n ** 20n;

export type BuiltChain = {
  readonly genesis: Genesis;
  /** With block 0 in it. */
  readonly config: RollupConfig;
  /** Block 0 first. */
  readonly blocks: readonly Block[];
};

/** A new L1 with the blocks that the chain was built on, and nothing of ours in them yet. */
export const makeL1 = (): ScriptedL1 => {
  const l1 = new ScriptedL1();
  l1.blockTime = L1_BLOCK_TIME;
  for (let time = L1_BLOCK_TIME; time <= BLOCKS; time += L1_BLOCK_TIME) l1.mine();
  return l1;
};

const genesisWith = async (l1: ScriptedL1, senders: readonly Signer[]): Promise<Genesis> => {
  const genesis = await makeGenesis(l1.genesis);
  const addresses = senders.map(({ address }) => address);
  const token = { balance: 0n, nonce: 1n, code: compile(['Token']).Token, storage: tokenStorage(addresses, BALANCE) };
  const funded = addresses.map((address) => [address, { balance: BALANCE, nonce: 0n, code: '0x', storage: {} }]);
  return { ...genesis, alloc: { ...genesis.alloc, ...Object.fromEntries(funded), [contractAddresses.Token]: token } };
};

/** The L2 chain, by a sequencer: mempool, origins, deposits of L1 attributes, blocks. */
export const buildChain = async (): Promise<BuiltChain> => {
  const l1 = makeL1();
  const senders = signers(TRANSACTIONS);
  const genesis = await genesisWith(l1, senders);
  const chain = await TestChain.start({ l1, genesis });
  const raw = (sender: Signer, block: number, index: number): Hex => {
    const to = addressOf(`derive ${block} ${index}`);
    const fees = { maxFeePerGas: 10n * GWEI, maxPriorityFeePerGas: GWEI };
    const call = index % 2 === 0 ? transfer(to) : tokenTransfer(to);
    return sender.sign({ type: 'eip1559', chainId: genesis.config.l2ChainId, nonce: block, ...fees, ...call });
  };
  const blocks = [await chain.engine.headBlock()];
  for (let block = 0; block < BLOCKS; block++) {
    for (const [index, sender] of senders.entries()) await chain.mempool.add(raw(sender, block, index));
    const made = await chain.step();
    if (made.transactions.length !== TRANSACTIONS + 1) throw new Error('the sequencer left transactions out');
    blocks.push(made);
  }
  return { genesis, config: chain.engine.config, blocks };
};
