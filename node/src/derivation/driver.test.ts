import { devnet } from '@openledger/chain-config';
import { describe, expect, it } from 'vitest';
import { idOf, startRollup as start, twoFrames } from '../../test/support/rollup.ts';
import { toChannelBlock } from '../../test/support/testBatcher.ts';
import { TestVerifier } from '../../test/support/testVerifier.ts';
import { ana, bo, signed } from '../../test/support/wallets.ts';
import { nodeError } from '../errors.ts';
import { withConfirmationDepth } from '../l1/confirmationDepth.ts';
import type { Block } from '../primitives/block.ts';

const { holocene: _, isthmus: __, jovian: ___, karst: ____, ...beforeHolocene } = devnet.forks;
const error = (code: string, handling: string) => expect.objectContaining({ code, handling });

describe('L1 reorgs', () => {
  it('of a batch: the safe head goes back and comes again', async () => {
    const { l1, batcher, verifier, blocks, safe, expectSameAsFresh } = await start();
    const made = await blocks(4);
    batcher.submit(made.slice(0, 2));
    const { number } = batcher.submit(made.slice(2));
    await verifier.sync();
    expect(safe()).toEqual(idOf(made[3]));
    l1.reorgTo(number - 1n);
    await verifier.sync();
    l1.mine();
    await verifier.sync();
    expect(safe()).toEqual(idOf(made[1]));
    expect(verifier.engine.heads.unsafe).toEqual(idOf(made[3]));
    await expectSameAsFresh();
    batcher.submit(made.slice(2));
    await verifier.sync();
    expect(safe()).toEqual(idOf(made[3]));
  });

  it('of blocks that are not deep enough yet are not seen at all (confirmation depth)', async () => {
    const { l1, chain, batcher, blocks } = await start();
    const made = await blocks(4);
    const careful = await TestVerifier.start(withConfirmationDepth(l1, 2n), chain.genesis);
    const { number } = batcher.submit(made);
    l1.mine();
    await careful.sync();
    expect(careful.engine.heads.safe.number).toBe(0n);
    l1.reorgTo(number - 1n);
    batcher.submit(made.slice(0, 2));
    l1.mine();
    l1.mine();
    await careful.sync();
    expect(careful.engine.heads.safe).toEqual(idOf(made[1]));
    expect(await careful.driver.safeHeadAtL1(number)).toMatchObject({ safe: idOf(made[1]) });
  });

  it('to a deeper origin: other blocks take the place of those that were safe', async () => {
    const { l1, chain, batcher, verifier, blocks, safe, expectSameAsFresh } = await start();
    const made = await blocks(4);
    batcher.submit(made);
    await verifier.sync();
    l1.reorgTo(2n);
    l1.mine();
    const next = await chain.sequencer.advance();
    expect(next.header.number).toBe(3n);
    const other = [...made.slice(0, 2), next, ...(await blocks(2))];
    batcher.submit(other);
    await verifier.sync();
    expect(safe()).toEqual(idOf(other.at(-1)));
    await expectSameAsFresh();
  });

  it('between the frames of a channel', async () => {
    const { l1, batcher, verifier, blocks, safe, expectSameAsFresh } = await start();
    const made = await blocks(3);
    const [first, second] = twoFrames(batcher, made);
    const { number } = batcher.mine([[first]]);
    l1.mine();
    await verifier.sync();
    l1.reorgTo(number);
    batcher.mine([[second]]);
    await verifier.sync();
    expect(safe()).toEqual(idOf(made[2]));
    l1.reorgTo(number - 1n);
    batcher.mine([[second]]);
    batcher.mine([[]]);
    await verifier.sync();
    expect(safe().number).toBe(0n);
    await expectSameAsFresh();
  });

  it('of what was final end it, and so does another L1', async () => {
    const { l1, chain, batcher, verifier, blocks } = await start();
    const made = await blocks(3);
    l1.finalizedNumber = batcher.submit(made).number;
    await verifier.sync();
    expect(verifier.engine.heads.finalized).toEqual(idOf(made[2]));
    l1.finalizedNumber = 0n;
    l1.reorgTo(1n);
    const l1Blocks = [l1.mine(), l1.mine()];
    batcher.mine([batcher.frames([{ ...toChannelBlock(made[0] as Block), transactions: [] }])]);
    expect(l1Blocks).toHaveLength(2);
    await expect(verifier.sync()).rejects.toEqual(error('FINALITY_CONFLICT', 'fatal'));
    l1.replaceGenesis();
    const restarted = await TestVerifier.start(l1, chain.genesis, verifier.db);
    await expect(restarted.sync()).rejects.toEqual(error('L1_WRONG_CHAIN', 'fatal'));
  });
});

describe('a verifier', () => {
  it('goes on where it was when it is restarted midway, mid-channel too', async () => {
    const { l1, chain, batcher, verifier, blocks, safe } = await start();
    const made = await blocks(5);
    batcher.submit(made.slice(0, 2));
    const [first, second] = twoFrames(batcher, made.slice(2));
    batcher.mine([[first]]);
    await verifier.sync();
    expect(safe().number).toBe(2n);
    const restarted = await TestVerifier.start(l1, chain.genesis, verifier.db);
    await restarted.sync();
    expect(restarted.engine.heads.safe.number).toBe(2n);
    batcher.mine([[second]]);
    await restarted.sync();
    expect(restarted.engine.heads.safe).toEqual(idOf(made[4]));
  });

  it('can be stopped after any step', async () => {
    const { l1, chain, batcher, blocks } = await start();
    const made = await blocks(3);
    const [first, second] = twoFrames(batcher, made);
    batcher.mine([[first]]);
    batcher.mine([[second]]);
    l1.finalizedNumber = l1.mine().number;
    let verifier = await TestVerifier.start(l1, chain.genesis);
    let steps = 0;
    while ((await verifier.driver.step()) !== 'idle' && ++steps < 500) {
      const { safe, finalized } = verifier.engine.heads;
      verifier = await TestVerifier.start(l1, chain.genesis, verifier.db);
      for (let again = 0; again < steps; again++) await verifier.driver.step();
      expect(verifier.engine.heads.safe.number).toBeGreaterThanOrEqual(safe.number);
      expect(verifier.engine.heads.finalized.number).toBeGreaterThanOrEqual(finalized.number);
    }
    await verifier.sync();
    expect(verifier.engine.heads).toMatchObject({ safe: idOf(made[2]), finalized: idOf(made[2]) });
  });

  it('finalization follows the L1 block that a block was derived from', async () => {
    const { l1, batcher, verifier, blocks, mineEmpty } = await start();
    const made = await blocks(4);
    const first = batcher.submit(made.slice(0, 2));
    const second = batcher.submit(made.slice(2));
    mineEmpty(1);
    const finalized = async (number: bigint) => {
      l1.finalizedNumber = number;
      await verifier.sync();
      return verifier.engine.heads.finalized.number;
    };
    expect(await finalized(first.number - 1n)).toBe(0n);
    expect(await finalized(first.number)).toBe(2n);
    expect(await finalized(second.number)).toBe(4n);
    expect(await verifier.driver.safeHeadAtL1(first.number)).toMatchObject({ safe: idOf(made[1]) });
    expect(await verifier.driver.safeHeadAtL1(second.number + 50n)).toMatchObject({ safe: idOf(made[3]) });
  });

  it('waits while L1 does not answer, and loses nothing', async () => {
    const { l1, batcher, verifier, blocks, safe } = await start();
    const made = await blocks(3);
    batcher.submit(made, { as: 'blobs' });
    for (let i = 0; i < 40; i++) {
      l1.failure = nodeError('L1_UNAVAILABLE', 'no answer');
      await verifier.driver.step().catch((cause) => expect(cause).toEqual(error('L1_UNAVAILABLE', 'retry')));
      l1.failure = undefined;
      await verifier.driver.step();
    }
    expect(safe()).toEqual(idOf(made[2]));
  });

  it.each([
    ['before Holocene the unsafe chain is as it was (backup unsafe)', false],
    ['since Holocene what comes before stands', true],
  ])('meets a span batch that turns invalid halfway: %s', async (_what, holocene) => {
    const { l1, chain, batcher, blocks } = await start(holocene ? {} : { forks: beforeHolocene });
    const made = await blocks(4);
    // It follows the sequencer, so that these blocks are its unsafe chain.
    const node = TestVerifier.on(chain.engine, l1, chain.db);
    const bad = await signed(ana, { nonce: 77, to: bo.address });
    const spoiled = made.map(toChannelBlock);
    spoiled[0] = { ...toChannelBlock(made[0] as Block), transactions: [] };
    spoiled[1] = { ...toChannelBlock(made[1] as Block), transactions: [bad] };
    batcher.mine([batcher.frames(spoiled)]);
    await node.sync();
    const { safe, unsafe } = chain.engine.heads;
    if (holocene) {
      expect(safe.number).toBe(2n);
      expect(unsafe).toEqual(safe);
      return;
    }
    expect(safe.number).toBe(0n);
    expect(unsafe).toEqual(idOf(made[3]));
    batcher.submit(made);
    await node.sync();
    expect(chain.engine.heads.safe).toEqual(idOf(made[3]));
  });

  it('goes over known ground again with a span in it that was dropped, and does not jump to its safe head', async () => {
    const { l1, chain, batcher, verifier, blocks } = await start({ forks: beforeHolocene });
    const made = await blocks(2);
    const [half] = twoFrames(batcher, made.slice(0, 1));
    // A channel that stays open: nothing after it is a point to start from.
    batcher.mine([[half]]);
    const bad = await signed(ana, { nonce: 77, to: bo.address });
    const spoiled = made.map(toChannelBlock);
    spoiled[1] = { ...toChannelBlock(made[1] as Block), transactions: [bad] };
    batcher.mine([batcher.frames(spoiled)]);
    made.push(...(await blocks(4)));
    batcher.submit(made);
    await verifier.sync();
    expect(verifier.engine.heads.safe).toEqual(idOf(made[5]));
    const again = await (await TestVerifier.start(l1, chain.genesis, verifier.db)).sync(500);
    expect(again.engine.heads.safe).toEqual(idOf(made[5]));
  });

  it('takes back unsafe blocks that L1 says otherwise', async () => {
    const { l1, chain, batcher, blocks } = await start();
    const made = await blocks(3);
    const own = TestVerifier.on(chain.engine, l1, chain.db);
    const other = made
      .map(toChannelBlock)
      .map((block, index) => (index === 1 ? { ...block, transactions: [] } : block));
    batcher.mine([batcher.frames(other.slice(0, 2))]);
    await own.sync();
    expect(chain.engine.heads.safe.number).toBe(2n);
    expect(chain.engine.heads.unsafe).toEqual(chain.engine.heads.safe);
    expect(chain.engine.heads.safe.hash).not.toBe(made[1]?.hash);
  });

  it('runs until it is told to stop, and ends with what is fatal', async () => {
    const { l1, batcher, verifier, blocks, safe } = await start();
    batcher.submit(await blocks(2));
    const abort = new AbortController();
    const running = verifier.driver.run(abort.signal);
    await expect.poll(() => safe().number).toBe(2n);
    abort.abort();
    await running;
    l1.replaceGenesis();
    await expect(verifier.driver.run(new AbortController().signal)).rejects.toEqual(error('L1_WRONG_CHAIN', 'fatal'));
  });
});
