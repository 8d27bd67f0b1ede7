import { describe, expect, it } from 'vitest';
import { ScriptedL1 } from '../../test/support/scriptedL1.ts';
import { signedHashes, TestChain } from '../../test/support/testChain.ts';
import { makeGenesis } from '../../test/support/testGenesis.ts';
import { ana, bo, lower } from '../../test/support/wallets.ts';
import { nodeError } from '../errors.ts';
import { blockIdOf } from '../primitives/block.ts';

const code = (name: string, handling: string) => expect.objectContaining({ code: name, handling });
const stranger = `0x${'5a'.repeat(20)}` as const;

describe('the sequencer', () => {
  it('makes a block every block time, each on the one before', async () => {
    const chain = await TestChain.start();
    const blocks = await chain.steps(3);
    expect(blocks.map(({ header }) => header.timestamp)).toEqual([1_700_000_001n, 1_700_000_002n, 1_700_000_003n]);
    expect(blocks.map(({ sequenceNumber }) => sequenceNumber)).toEqual([1n, 2n, 3n]);
  });

  it('takes the next L1 origin, and its deposits once', async () => {
    const chain = await TestChain.start();
    const first = await chain.deposit({ from: stranger, to: lower(bo.address), mint: 1n });
    const second = await chain.step();
    expect([first.block, second].map((b) => [b.l1Origin.number, b.sequenceNumber, b.transactions.length])).toEqual([
      [1n, 0n, 2],
      [1n, 1n, 1],
    ]);
  });

  it('goes one origin a block when L1 is ahead, and leaves none out', async () => {
    const chain = await TestChain.start();
    for (let i = 0; i < 3; i++) chain.l1.mine([{ from: stranger, to: lower(bo.address), mint: 1n }]);
    const blocks = await chain.steps(4);
    expect(blocks.map(({ l1Origin }) => l1Origin.number)).toEqual([1n, 2n, 3n, 3n]);
    expect(await chain.balance(stranger)).toBe(3n);
  });

  it('is never older than its origin', async () => {
    const chain = await TestChain.start();
    chain.l1.mine();
    chain.l1.mine();
    for (const { header, l1Origin } of await chain.steps(3)) {
      expect(header.timestamp >= 1_700_000_000n + l1Origin.number).toBe(true);
    }
  });

  it('carries nothing but deposits when it is past the drift, until L1 goes on', async () => {
    const l1 = new ScriptedL1();
    const genesis = await makeGenesis(l1.genesis);
    const chain = await TestChain.start({
      l1,
      genesis: { ...genesis, timestamp: genesis.timestamp + 1_798n },
    });
    await chain.steps(2);
    const hash = await chain.send(ana, { nonce: 0 });
    expect(signedHashes(await chain.step())).toEqual([]);
    l1.blockTime = 1_800n;
    l1.mine();
    expect(signedHashes(await chain.step())).toEqual([hash]);
  });

  it('tells an L1 reorg and an L1 that does not answer apart, and makes no block of either', async () => {
    const chain = await TestChain.start();
    chain.l1.mine();
    await chain.step();
    const { unsafe } = chain.engine.heads;
    chain.l1.failure = nodeError('L1_UNAVAILABLE', 'no answer');
    await expect(chain.step()).rejects.toEqual(code('L1_UNAVAILABLE', 'retry'));
    chain.l1.failure = undefined;
    chain.l1.reorgTo(0n);
    chain.l1.mine();
    await expect(chain.step()).rejects.toEqual(code('L1_REORG', 'reset'));
    expect(chain.engine.heads.unsafe).toEqual(unsafe);
  });

  it('follows an L1 reorg: builds on the last block that stands and takes the transactions in again', async () => {
    const chain = await TestChain.start();
    const [kept] = await chain.steps(1);
    chain.l1.mine();
    const hash = await chain.send(ana, { nonce: 0 });
    const lost = await chain.step();
    expect(signedHashes(lost)).toEqual([hash]);
    chain.l1.reorgTo(0n);
    chain.l1.mine();
    const next = await chain.sequencer.advance();
    expect(next.header.parentHash).toBe(kept?.hash);
    expect(next.l1Origin.hash).not.toBe(lost.l1Origin.hash);
    const later = await chain.step();
    expect([...signedHashes(next), ...signedHashes(later)]).toEqual([hash]);
    expect(await chain.engine.chain.isCanonical(blockIdOf(lost))).toBe(false);
  });

  it('stops for good when nothing of its chain stands on this L1', async () => {
    const chain = await TestChain.start();
    await chain.step();
    chain.l1.replaceGenesis();
    await expect(chain.sequencer.advance()).rejects.toEqual(code('L1_WRONG_CHAIN', 'fatal'));
  });
});
