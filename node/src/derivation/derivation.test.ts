import { describe, expect, it } from 'vitest';
import { TestBatcher } from '../../test/support/testBatcher.ts';
import { TestChain } from '../../test/support/testChain.ts';
import { TestVerifier } from '../../test/support/testVerifier.ts';
import { ana, bo } from '../../test/support/wallets.ts';

describe('a verifier', () => {
  it('basic', async () => {
    const chain = await TestChain.start();
    const batcher = new TestBatcher(chain.l1, chain.engine.config);
    const verifier = await TestVerifier.start(chain.l1, chain.genesis);
    await chain.send(ana, { nonce: 0, to: bo.address, value: 1n });
    chain.l1.mine();
    const blocks = await chain.steps(3);
    batcher.submit(blocks);
    await verifier.sync();
    expect(verifier.engine.heads.safe.number).toBe(3n);
    expect(verifier.engine.heads.safe.hash).toBe(blocks[2]?.hash);
  });
});
