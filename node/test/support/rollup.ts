import type { RollupConfig } from '@openledger/chain-config';
import type { Address } from 'viem';
import { expect } from 'vitest';
import type { Frame } from '../../src/channels/frame.ts';
import { type Block, blockIdOf } from '../../src/primitives/block.ts';
import { ScriptedL1 } from './scriptedL1.ts';
import { type BatcherOptions, TestBatcher, toChannelBlock } from './testBatcher.ts';
import { TestChain } from './testChain.ts';
import { makeGenesis } from './testGenesis.ts';
import { TestVerifier } from './testVerifier.ts';
import { ana, bo } from './wallets.ts';

export const stranger: Address = `0x${'ee'.repeat(20)}`;

/** A sequencer, its batcher, and a verifier that has only their L1. */
export const startRollup = async (given: Partial<Pick<RollupConfig, 'sequencerWindowSize' | 'forks'>> = {}) => {
  const l1 = new ScriptedL1();
  const genesis = await makeGenesis(l1.genesis);
  const chain = await TestChain.start({ l1, genesis: { ...genesis, config: { ...genesis.config, ...given } } });
  const batcher = new TestBatcher(l1, chain.engine.config);
  const verifier = await TestVerifier.start(l1, chain.genesis);
  let nonce = 0;
  /** L2 blocks with a deposit and a transaction each, on as many new L1 blocks. */
  const blocks = async (count: number): Promise<Block[]> => {
    const made: Block[] = [];
    for (let i = 0; i < count; i++) {
      l1.mine([{ from: stranger, to: bo.address, mint: 5n, value: 3n }]);
      await chain.send(ana, { nonce: nonce++, to: bo.address, value: 1n });
      made.push(await chain.step());
    }
    return made;
  };
  const mineEmpty = (count: number) => Array.from({ length: count }, () => l1.mine());
  const safe = () => verifier.engine.heads.safe;
  const at = (number: bigint) => verifier.engine.chain.blockByNumber(number);
  /** That nothing depends on what the verifier saw on its way: one that starts now says the same. */
  const expectSameAsFresh = async () => {
    const other = await (await TestVerifier.start(l1, chain.genesis)).sync();
    expect(other.engine.heads.safe).toEqual(safe());
  };
  return { l1, chain, batcher, verifier, blocks, mineEmpty, safe, at, expectSameAsFresh };
};

export const idOf = (block: Block | undefined) => block && blockIdOf(block);
export const framesOf = (batcher: TestBatcher, blocks: readonly Block[], options: BatcherOptions = {}): Frame[] =>
  batcher.frames(blocks.map(toChannelBlock), options);
/** In two frames. */
export const twoFrames = (batcher: TestBatcher, blocks: readonly Block[]): [Frame, Frame] => {
  const [whole] = framesOf(batcher, blocks);
  if (!whole) throw new Error('no frame');
  const middle = whole.data.length >> 1;
  return [
    { ...whole, data: whole.data.slice(0, middle), isLast: false },
    { ...whole, data: whole.data.slice(middle), frameNumber: 1 },
  ];
};
