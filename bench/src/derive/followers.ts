import { createMetrics, silentLogger } from '@openledger/kit';
import { matchesAttributes } from '../../../node/src/derivation/executeAttributes.ts';
import { DerivationPipeline } from '../../../node/src/derivation/pipeline.ts';
import { isPending } from '../../../node/src/derivation/stage.ts';
import { Engine } from '../../../node/src/engine/engine.ts';
import { executePayload } from '../../../node/src/engine/executePayload.ts';
import type { Block } from '../../../node/src/primitives/block.ts';
import type { ScriptedL1 } from '../../../node/test/support/scriptedL1.ts';
import { TestVerifier } from '../../../node/test/support/testVerifier.ts';
import { openLevelDb } from '../levelDb.ts';
import type { BuiltChain } from './buildChain.ts';

/** Something that goes over the chain, piece by piece. */
export type Follower = {
  /** Goes on until it has this block. @throws when it gets another one */
  to(block: Block): Promise<void>;
  close(): Promise<void>;
};

/** A verifier that has nothing but L1: derivation, execution, the synced batch of each block, the safe head. */
export const verifier = async ({ genesis }: BuiltChain, l1: ScriptedL1): Promise<Follower> => {
  const { db, close } = openLevelDb();
  const { engine, driver } = await TestVerifier.start(l1, genesis, db);
  return {
    to: async (block) => {
      while (engine.heads.safe.number < block.header.number) await driver.step();
      if (engine.heads.safe.hash !== block.hash) throw new Error(`another safe head than block ${block.header.number}`);
    },
    close,
  };
};

/** L1 data to payload attributes alone, on blocks that are there already. */
export const attributesOnly = async ({ config, blocks }: BuiltChain, l1: ScriptedL1): Promise<Follower> => {
  const first = blocks[0];
  if (!first) throw new Error('a chain has a genesis block');
  const safeChain = { blockByNumber: async (number: bigint) => blocks[Number(number)] };
  const pipeline = new DerivationPipeline({ config, l1, safeChain });
  pipeline.reset({ base: l1.genesis, systemConfig: config.genesis.systemConfig, derivedUpTo: config.genesis.l1 });
  let parent = first;
  return {
    to: async (block) => {
      while (parent.header.number < block.header.number) {
        const next = await pipeline.next(parent);
        if (next === 'end-of-source' && !(await pipeline.advance())) throw new Error('L1 says too little');
        if (isPending(next)) continue;
        const made = blocks[Number(parent.header.number) + 1];
        if (!made || !matchesAttributes(made, next)) throw new Error('the attributes are not those of the block');
        parent = made;
      }
    },
    close: async () => {},
  };
};

/** The peer: the same blocks handed over whole, executed, checked and stored; no L1 and no derivation. */
export const direct = async ({ genesis, blocks }: BuiltChain): Promise<Follower> => {
  const { db, close } = openLevelDb();
  const engine = await Engine.open({ db, genesis, log: silentLogger, metrics: createMetrics('direct') });
  return {
    to: async ({ header: { number } }) => {
      while (engine.heads.unsafe.number < number) {
        const block = blocks[Number(engine.heads.unsafe.number) + 1];
        if (!block) throw new Error('no such block');
        const transactions = block.transactions.map(({ raw }) => raw);
        await engine.insert(await executePayload(engine, { ...block, transactions }));
      }
    },
    close,
  };
};
