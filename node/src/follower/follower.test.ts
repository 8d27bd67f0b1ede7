import { createMetrics, silentLogger } from '@openledger/kit';
import { beforeEach, describe, expect, it } from 'vitest';
import { TestChain } from '../../test/support/testChain.ts';
import { ana, bo } from '../../test/support/wallets.ts';
import { Engine } from '../engine/engine.ts';
import { decodeBlock, type RawBlock } from '../primitives/decodeBlock.ts';
import { encodeBlock } from '../primitives/encodeBlock.ts';
import { Follower } from './follower.ts';
import type { L2Rpc } from './l2Rpc.ts';

/** A sequencer, and a node that follows it over what its RPC gives. */
let sequencer: TestChain;
let node: TestChain;
let follower: Follower;
let source: L2Rpc;
let tamper: (block: RawBlock) => RawBlock;

beforeEach(async () => {
  sequencer = await TestChain.start();
  node = await TestChain.start({ l1: sequencer.l1, genesis: sequencer.genesis });
  tamper = (block) => block;
  source = {
    heads: async () => ({ ...sequencer.engine.heads, derivedL1: 0n }),
    blockByNumber: async (number) => {
      const block = await sequencer.engine.chain.blockByNumber(number);
      return block && { ...tamper(decodeBlock(encodeBlock(block))), hash: block.hash };
    },
  };
  follower = new Follower({ engine: node.engine, source, log: silentLogger, metrics: createMetrics('test') });
});

const catchUp = async (): Promise<void> => {
  while (await follower.step());
};

describe('a follower', () => {
  it('has the sequencer’s unsafe chain, block for block and event for event', async () => {
    await sequencer.send(ana, { nonce: 0, to: bo.address, value: 7n });
    await sequencer.steps(3);
    await catchUp();
    expect(node.engine.heads.unsafe).toEqual(sequencer.engine.heads.unsafe);
    expect(await node.engine.eventLog.head()).toEqual(await sequencer.engine.eventLog.head());
    expect(await follower.step()).toBe(false);
  });

  it('catches up after it was away, with a safe head that went on without it', async () => {
    await sequencer.steps(2);
    await catchUp();
    const away = await sequencer.steps(20);
    const metrics = createMetrics('again');
    const engine = await Engine.open({ db: node.db, genesis: node.genesis, log: silentLogger, metrics });
    const again = new Follower({ engine, source, log: silentLogger, metrics });
    while (await again.step());
    expect(engine.heads.unsafe.hash).toBe(away.at(-1)?.hash);
    expect(await engine.eventLog.head()).toEqual(await sequencer.engine.eventLog.head());
  });

  it('goes over to the branch that the sequencer went over to', async () => {
    const [fork] = await sequencer.steps(1);
    await sequencer.l1.mine();
    await sequencer.steps(2);
    await catchUp();
    sequencer.l1.reorgTo(0n);
    sequencer.l1.mine();
    const replaced = await sequencer.sequencer.advance();
    expect(replaced.header.parentHash).toBe(fork?.hash);
    await sequencer.steps(3);
    await catchUp();
    expect(node.engine.heads.unsafe).toEqual(sequencer.engine.heads.unsafe);
  });

  it('goes back when the sequencer did', async () => {
    const blocks = await sequencer.steps(3);
    await catchUp();
    await sequencer.engine.setUnsafeHead(blocks[0]?.hash ?? '0x');
    const [next] = await sequencer.steps(1);
    await catchUp();
    expect(next?.header.number).toBe(2n);
    expect(node.engine.heads.unsafe.number >= 2n).toBe(true);
  });

  it('takes no block that is not what its execution gives', async () => {
    await sequencer.steps(1);
    tamper = (block) => ({ ...block, header: { ...block.header, stateRoot: `0x${'ee'.repeat(32)}` } });
    await expect(follower.step()).rejects.toEqual(expect.objectContaining({ code: 'L2_BAD_DATA', handling: 'retry' }));
    expect(node.engine.heads.unsafe.number).toBe(0n);
  });

  it('leaves what is safe to L1', async () => {
    const blocks = await sequencer.steps(2);
    await catchUp();
    const [, second] = blocks;
    await node.engine.setHeads({ safe: { hash: second?.hash ?? '0x', number: 2n } });
    await sequencer.engine.setUnsafeHead(blocks[0]?.header.parentHash ?? '0x');
    sequencer.l1.fees = { baseFee: 99n, blobBaseFee: 1n };
    sequencer.l1.mine();
    await sequencer.steps(3);
    expect(await follower.step()).toBe(false);
    expect(node.engine.heads.safe.hash).toBe(second?.hash);
  });
});
