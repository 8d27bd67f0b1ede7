import { createHash } from 'node:crypto';
import { devnet, opPredeploys } from '@openledger/chain-config';
import { concatHex, type Hex, keccak256, numberToHex, parseSignature, toRlp, trim } from 'viem';
import { describe, expect, it } from 'vitest';
import { signedHashes, TestChain } from '../../test/support/testChain.ts';
import { INITIAL_BALANCE } from '../../test/support/testGenesis.ts';
import { ana, bo, chi, GWEI, lower, OPEN, signed, wallet } from '../../test/support/wallets.ts';
import { encodeDeposit } from '../primitives/depositTransaction.ts';
import { tipCapOf } from './admission.ts';
import type { Mempool } from './mempool.ts';

const code = (name: string) => expect.objectContaining({ code: name });
const tryNext = async (pool: Mempool, baseFee = 0n): Promise<Hex[]> => {
  const found: Hex[] = [];
  for await (const { hash } of pool.best(baseFee)) found.push(hash);
  return found;
};

describe('admission refuses', () => {
  const refused = async (raw: Hex, name: string) => {
    const chain = await shared;
    await expect(chain.mempool.add(raw)).rejects.toEqual(code(name));
    expect(await chain.mempool.content()).toEqual({ pending: [], queued: [] });
  };
  const shared = TestChain.start();

  it('another chain, typed or legacy', async () => {
    await refused(await signed(ana, { nonce: 0, chainId: 1 }), 'TX_WRONG_CHAIN');
    const legacy = { type: 'legacy', nonce: 0, gas: 21_000n, gasPrice: GWEI, to: bo.address } as const;
    await refused(await ana.signTransaction({ ...legacy, chainId: 1 }), 'TX_WRONG_CHAIN');
  });

  it('a legacy transaction without replay protection', async () => {
    const legacy = { type: 'legacy', nonce: 0, gas: 21_000n, gasPrice: GWEI, to: bo.address } as const;
    await refused(await ana.signTransaction(legacy), 'TX_UNPROTECTED');
  });

  it('deposits, blobs and types that do not exist', async () => {
    const deposit = {
      sourceHash: `0x${'01'.repeat(32)}`,
      from: ana.address,
      to: bo.address,
      mint: OPEN,
      value: 0n,
    } as const;
    const raw = encodeDeposit({ ...deposit, gas: 21_000n, isSystemTransaction: false, data: '0x' });
    await refused(raw, 'TX_TYPE_UNSUPPORTED');
    await refused(concatHex(['0x03', toRlp(['0x01'])]), 'TX_TYPE_UNSUPPORTED');
    await refused(concatHex(['0x05', toRlp(['0x01'])]), 'TX_TYPE_UNSUPPORTED');
  });

  it.each(['0x', '0x02', '0xc0', '0x02c0', '0xf8', `0x02${'ff'.repeat(100)}`] as Hex[])(
    '%s, which is no transaction',
    (raw) => refused(raw, 'TX_MALFORMED'),
  );

  it('a signature that was changed', async () => {
    const unsigned = (await signed(ana, { nonce: 0 })).slice(0, -64);
    await refused(`${unsigned}${'00'.repeat(32)}` as Hex, 'TX_MALFORMED');
  });

  it('too much gas: above the block, and above what one transaction may have', async () => {
    await refused(await signed(ana, { nonce: 0, gas: 60_000_001n }), 'TX_GAS_TOO_HIGH');
    await refused(await signed(ana, { nonce: 0, gas: (1n << 24n) + 1n }), 'TX_GAS_TOO_HIGH');
  });

  it('too little gas: below the intrinsic cost, and below the calldata floor', async () => {
    await refused(await signed(ana, { nonce: 0, gas: 20_999n }), 'TX_INVALID');
    await refused(await signed(ana, { nonce: 0, data: `0x${'11'.repeat(1000)}`, gas: 40_000n }), 'TX_INVALID');
  });

  it('fees that no block can take', async () => {
    // viem and ethers don't sign such a thing: a tip of 2 gwei under a cap of 1.
    const fields = [
      numberToHex(devnet.l2ChainId),
      '0x',
      numberToHex(2n * GWEI),
      numberToHex(GWEI),
      '0x5208',
      bo.address,
    ];
    const body: Parameters<typeof toRlp>[0] = [...(fields as Hex[]), '0x', '0x', []];
    const { r, s, yParity } = parseSignature(await ana.sign({ hash: keccak256(concatHex(['0x02', toRlp(body)])) }));
    const raw = concatHex(['0x02', toRlp([...body, yParity === 0 ? '0x' : '0x01', trim(r), trim(s)])]);
    await refused(raw, 'TX_INVALID');
    await refused(await signed(ana, { nonce: 0, fee: 99_999n, tip: 0n }), 'TX_FEE_TOO_LOW');
  });

  it('more data than a transaction, or a block, may carry', async () => {
    await refused(
      await signed(ana, { nonce: 0, data: `0x${'00'.repeat(513 * 1024)}`, gas: 16_000_000n }),
      'TX_TOO_LARGE',
    );
    const noise = createHash('shake256', { outputLength: 400_000 }).digest();
    await refused(
      await signed(ana, { nonce: 0, data: `0x${noise.toString('hex')}`, gas: 16_700_000n }),
      'TX_TOO_LARGE',
    );
  });

  it('a nonce that is used, or far away', async () => {
    await refused(await signed(ana, { nonce: 256 }), 'TX_NONCE_TOO_HIGH');
    const chain = await TestChain.start();
    await chain.execute(ana, { to: bo.address });
    await expect(chain.send(ana, { nonce: 0, value: 1n })).rejects.toEqual(code('TX_NONCE_TOO_LOW'));
  });
});

describe('funds', () => {
  it('have to cover everything that waits, L1 fee included', async () => {
    const chain = await TestChain.start();
    chain.l1.fees = { baseFee: 1000n * GWEI, blobBaseFee: 1n };
    chain.l1.mine();
    await chain.step();
    const gas = 21_000n * 10n * GWEI;
    const poor = code('TX_INSUFFICIENT_FUNDS');
    await expect(chain.send(ana, { nonce: 0, value: INITIAL_BALANCE - gas })).rejects.toEqual(poor);
    const half = INITIAL_BALANCE / 2n;
    await chain.send(ana, { nonce: 0, value: half });
    await expect(chain.send(ana, { nonce: 1, value: half })).rejects.toEqual(poor);
    await expect(chain.send(ana, { nonce: 5, value: half })).rejects.toEqual(poor);
    await chain.send(ana, { nonce: 1, value: half - OPEN });
    await expect(chain.send(wallet('nobody'), { nonce: 0 })).rejects.toEqual(poor);
  });

  it('of a replaced transaction are free again', async () => {
    const chain = await TestChain.start();
    await chain.send(ana, { nonce: 0, value: INITIAL_BALANCE - OPEN });
    await chain.send(ana, { nonce: 0, value: INITIAL_BALANCE - OPEN, fee: 20n * GWEI, tip: 2n * GWEI });
  });
});

describe('nonces', () => {
  it('behind a gap wait, and become executable when it is filled', async () => {
    const chain = await TestChain.start();
    const second = await chain.send(ana, { nonce: 1 });
    expect(chain.mempool.nextNonce(ana.address, 0n)).toBe(0n);
    expect(await chain.mempool.content()).toMatchObject({ pending: [], queued: [{ hash: second }] });
    expect(signedHashes(await chain.step())).toEqual([]);
    const first = await chain.send(ana, { nonce: 0 });
    expect(chain.mempool.nextNonce(ana.address, 0n)).toBe(2n);
    expect(signedHashes(await chain.step())).toEqual([first, second]);
    expect(await chain.mempool.content()).toEqual({ pending: [], queued: [] });
  });

  it('that a deposit or another block used up leave, and take nobody’s place', async () => {
    const chain = await TestChain.start({ limits: { maxTransactions: 1 } });
    const stale = await chain.send(ana, { nonce: 0 });
    // A deposit from Ana raises her nonce without one of her own transactions.
    const { block } = await chain.deposit({ from: lower(ana.address), to: lower(bo.address) });
    expect(signedHashes(block)).toEqual([]);
    await chain.step();
    expect(chain.mempool.get(stale)).toBeUndefined();
    const next = await chain.send(ana, { nonce: 1 });
    expect(signedHashes(await chain.step())).toEqual([next]);
  });
});

describe('replacement', () => {
  it('takes both fees raised by a tenth, and no less', async () => {
    const chain = await TestChain.start();
    const old = await chain.send(ana, { nonce: 0, fee: 10n * GWEI, tip: GWEI });
    const underpriced = code('TX_UNDERPRICED');
    const attempt = (fee: bigint, tip: bigint) => chain.send(ana, { nonce: 0, value: 1n, fee, tip });
    await expect(attempt(11n * GWEI - 1n, 2n * GWEI)).rejects.toEqual(underpriced);
    await expect(attempt(20n * GWEI, (11n * GWEI) / 10n - 1n)).rejects.toEqual(underpriced);
    expect(chain.mempool.get(old)).toBeDefined();
    const hash = await attempt(11n * GWEI, (11n * GWEI) / 10n);
    expect(chain.mempool.get(old)).toBeUndefined();
    expect(signedHashes(await chain.step())).toEqual([hash]);
  });

  it('is not sending the same again', async () => {
    const chain = await TestChain.start();
    await chain.send(ana, { nonce: 0 });
    await expect(chain.send(ana, { nonce: 0 })).rejects.toEqual(code('TX_ALREADY_KNOWN'));
  });

  it('works in a full pool, where a new transaction has no place', async () => {
    const chain = await TestChain.start({ limits: { maxTransactions: 2 } });
    await chain.send(ana, { nonce: 0 });
    await chain.send(ana, { nonce: 1 });
    await expect(chain.send(bo, { nonce: 0 })).rejects.toEqual(code('MEMPOOL_FULL'));
    await chain.send(ana, { nonce: 1, fee: 20n * GWEI, tip: 2n * GWEI });
    await chain.step();
    await chain.send(bo, { nonce: 0 });
  });
});

describe('order', () => {
  it('is by tip, then arrival, with each sender’s nonces in order', async () => {
    const chain = await TestChain.start();
    const a0 = await chain.send(ana, { nonce: 0, tip: GWEI });
    const a1 = await chain.send(ana, { nonce: 1, tip: 9n * GWEI });
    const b0 = await chain.send(bo, { nonce: 0, tip: 3n * GWEI });
    const b1 = await chain.send(bo, { nonce: 1, tip: 1n });
    const c0 = await chain.send(chi, { nonce: 0, tip: GWEI });
    expect(await tryNext(chain.mempool)).toEqual([b0, a0, a1, c0, b1]);
    expect(signedHashes(await chain.step())).toEqual([b0, a0, a1, c0, b1]);
  });

  it('counts what is left of the fee cap above the base fee, and leaves out what is below', async () => {
    const chain = await TestChain.start();
    const capped = await chain.send(ana, { nonce: 0, fee: 5n * GWEI, tip: 5n * GWEI });
    const plain = await chain.send(bo, { nonce: 0, fee: 10n * GWEI, tip: 2n * GWEI });
    const low = await chain.send(chi, { nonce: 0, fee: 3n * GWEI, tip: GWEI });
    expect(await tryNext(chain.mempool, 4n * GWEI)).toEqual([plain, capped]);
    expect(await tryNext(chain.mempool, 3n * GWEI)).toEqual([capped, plain, low]);
  });

  it('of thousands of senders is found in less than a block time', async () => {
    const names = Array.from({ length: 2_000 }, (_, i) => wallet(`sender ${i}`));
    const chain = await TestChain.start();
    const rich = Object.fromEntries(
      names.map(({ address }) => [lower(address), { balance: OPEN, nonce: 0n, code: '0x' as const, storage: {} }]),
    );
    const crowd = await TestChain.start({ genesis: { ...chain.genesis, alloc: { ...chain.genesis.alloc, ...rich } } });
    for (const [i, account] of names.entries()) await crowd.send(account, { nonce: 0, tip: BigInt(1 + (i % 97)) });
    const start = performance.now();
    const hashes = await tryNext(crowd.mempool);
    expect(hashes).toHaveLength(names.length);
    expect(performance.now() - start).toBeLessThan(500);
    const tips = hashes.map((hash) => crowd.mempool.get(hash)).map((tx) => (tx ? tipCapOf(tx) : -1n));
    expect(tips).toEqual([...tips].sort((a, b) => Number(b - a)));
  });
});

describe('the journal', () => {
  it('brings waiting transactions back, in whatever order they were sent', async () => {
    const chain = await TestChain.start();
    const second = await chain.send(ana, { nonce: 1 });
    const first = await chain.send(ana, { nonce: 0 });
    const other = await chain.send(bo, { nonce: 0, tip: 1n });
    const again = await TestChain.start({ db: chain.db, genesis: chain.genesis, l1: chain.l1 });
    expect(signedHashes(await again.step())).toEqual([first, second, other]);
  });

  it('keeps neither included nor replaced transactions', async () => {
    const chain = await TestChain.start();
    await chain.execute(ana, { to: bo.address });
    const old = await chain.send(bo, { nonce: 0 });
    const replacement = await chain.send(bo, { nonce: 0, fee: 20n * GWEI, tip: 2n * GWEI });
    const keys = await chain.db.keys({ gte: Uint8Array.of(0x70), lt: Uint8Array.of(0x71) }).all();
    const hashes = (keys as Uint8Array[]).map((key) => `0x${Buffer.from(key.subarray(1)).toString('hex')}`);
    expect(hashes).toContain(replacement);
    expect(hashes).not.toContain(old);
    const again = await TestChain.start({ db: chain.db, genesis: chain.genesis, l1: chain.l1 });
    expect((await again.mempool.content()).pending.map(({ hash }) => hash)).toEqual([replacement]);
  });
});

describe('a transaction that can never be included', () => {
  it('is dropped and blocks neither its sender nor the others', async () => {
    const chain = await TestChain.start();
    // Bo pays with what Ana is about to send away.
    const dear = INITIAL_BALANCE - OPEN;
    await chain.send(ana, { nonce: 0, value: dear, fee: 20n * GWEI, tip: 9n * GWEI });
    const doomed = await chain.send(ana, { nonce: 1, value: OPEN / 2n, tip: GWEI });
    chain.l1.fees = { baseFee: 3n * 10n ** 17n, blobBaseFee: 1n };
    chain.l1.mine();
    const fine = await chain.send(bo, { nonce: 0, tip: 1n });
    const block = await chain.step();
    expect(signedHashes(block)).not.toContain(doomed);
    expect(chain.mempool.get(doomed)).toBeUndefined();
    expect([...signedHashes(block), ...signedHashes(await chain.step())]).toContain(fine);
    expect(await chain.balance(opPredeploys.l1FeeVault)).toBeGreaterThan(0n);
  });
});
