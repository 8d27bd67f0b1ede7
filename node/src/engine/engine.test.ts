import { opPredeploys } from '@openledger/chain-config';
import type { LogEntry } from '@openledger/event-log';
import fc from 'fast-check';
import { type Address, keccak256, zeroHash } from 'viem';
import { describe, expect, it } from 'vitest';
import { signedHashes, TestChain } from '../../test/support/testChain.ts';
import { INITIAL_BALANCE } from '../../test/support/testGenesis.ts';
import { ana, bo, chi, governance, lower, signed } from '../../test/support/wallets.ts';
import { preparePayloadAttributes } from '../attributes/payloadAttributes.ts';
import type { SealedBlock } from '../execution/blockExecution.ts';
import type { Block } from '../primitives/block.ts';
import { decodeHeader, encodeHeader, hashHeader } from '../primitives/header.ts';
import { ChainReader } from '../rpc/chainReader.ts';
import { getProof } from '../rpc/stateProof.ts';

/** A block on any parent, with these raw transactions, that nobody has inserted yet. */
const sealOn = async (chain: TestChain, parent: Block, raws: `0x${string}`[] = []): Promise<SealedBlock> => {
  const { engine, l1 } = chain;
  const origin = await l1.blockByHash(parent.l1Origin.hash);
  if (!origin) throw new Error('the parent has no L1 origin');
  const { config } = engine;
  const attributes = await preparePayloadAttributes({
    config,
    parent,
    origin,
    l1,
  });
  const execution = await engine.begin(parent.hash, attributes.block);
  for (const deposit of attributes.deposits) await execution.apply(deposit);
  for (const raw of raws)
    await execution.apply(engine.rules.decodeTransaction(raw, { number: 1n, timestamp: 1_700_000_001n }));
  return execution.seal();
};
const logOf = async (chain: TestChain): Promise<LogEntry[]> => {
  const entries: LogEntry[] = [];
  for await (const entry of chain.engine.eventLog.read(0)) entries.push(entry);
  return entries;
};
const code = (name: string) => expect.objectContaining({ code: name });

describe('a committed block', () => {
  it('has the hash of its stored header, read back from disk', async () => {
    const chain = await TestChain.start();
    const { block } = await chain.execute(ana, { to: bo.address, value: 1n });
    const reopened = await TestChain.start({ db: chain.db, genesis: chain.genesis, l1: chain.l1 });
    const stored = await reopened.engine.chain.blockByNumber(1n);
    expect(stored).toBeDefined();
    expect(hashHeader(decodeHeader(encodeHeader((stored as Block).header)))).toBe(block.hash);
    expect(stored?.receipts).toEqual(block.receipts);
    expect(stored?.transactions.map(({ raw, hash, from }) => [raw, hash, from])).toEqual(
      block.transactions.map(({ raw, hash, from }) => [raw, hash, from]),
    );
  });

  it('links to its parent in blocks, in EIP-2935 history and in the event log', async () => {
    const chain = await TestChain.start();
    const [one, two] = await chain.steps(2);
    expect(two?.header.parentHash).toBe(one?.hash);
    const entries = await logOf(chain);
    expect(entries.map((entry) => entry.kind === 'block' && entry.hash).slice(1)).toEqual([one?.hash, two?.hash]);
  });

  it('carries the storage root of the message passer as withdrawalsRoot', async () => {
    const chain = await TestChain.start();
    const before = (await chain.step()).header.withdrawalsRoot;
    const { block } = await chain.execute(ana, { to: opPredeploys.l2ToL1MessagePasser, value: 3n });
    expect(block.header.withdrawalsRoot).not.toBe(before);
    const reader = new ChainReader(chain.engine, chain.mempool);
    const proof = (await getProof(reader, opPredeploys.l2ToL1MessagePasser, [], 'latest')) as { storageHash: string };
    expect(proof.storageHash).toBe(block.header.withdrawalsRoot);
  });

  it('has no trace of transactions that could not be part of it', async () => {
    const chain = await TestChain.start();
    const parent = await chain.engine.headBlock();
    const good = await signed(ana, { nonce: 0, value: 1n });
    const clean = await sealOn(chain, parent, [good]);
    const { engine, l1 } = chain;
    const { config } = engine;
    const origin = l1.genesis;
    const attributes = await preparePayloadAttributes({
      config,
      parent,
      origin,
      l1,
    });
    const execution = await engine.begin(parent.hash, attributes.block);
    for (const deposit of attributes.deposits) await execution.apply(deposit);
    const bad = [
      await signed(bo, { nonce: 5 }),
      await signed(chi, { nonce: 0, value: INITIAL_BALANCE }),
      await signed(bo, { nonce: 0, fee: 1n, tip: 1n }),
    ];
    const refused = ['TX_NONCE_TOO_HIGH', 'TX_INSUFFICIENT_FUNDS', 'TX_FEE_TOO_LOW'];
    for (const [index, raw] of bad.entries()) {
      await expect(
        execution.apply(engine.rules.decodeTransaction(raw, { number: 1n, timestamp: 1_700_000_001n })),
      ).rejects.toEqual(code(refused[index] as string));
    }
    await execution.apply(engine.rules.decodeTransaction(good, { number: 1n, timestamp: 1_700_000_001n }));
    const again = engine.rules.decodeTransaction(good, { number: 1n, timestamp: 1_700_000_001n });
    await expect(execution.apply(again)).rejects.toEqual(code('TX_NONCE_TOO_LOW'));
    expect((await execution.seal()).hash).toBe(clean.hash);
  });
});

describe('insert', () => {
  it('on an older parent takes chain, event log and mempool back and forth', async () => {
    const chain = await TestChain.start();
    const one = await chain.step();
    const mine = await chain.execute(ana, { to: bo.address, value: 7n });
    const gone = await chain.execute(chi, { to: bo.address, value: 9n });
    const told: [bigint, number][] = [];
    chain.engine.onBlock((block, reverted) => told.push([block.header.number, reverted.length]));

    const raw = mine.block.transactions.find((tx) => tx.hash === mine.hash)?.raw as `0x${string}`;
    const fork = await chain.engine.insert(
      await sealOn(chain, one, [raw, await signed(bo, { nonce: 0, to: chi.address })]),
    );

    expect(chain.engine.heads.unsafe).toEqual({ hash: fork.hash, number: 2n });
    expect(told).toEqual([[2n, 2]]);
    expect(await chain.engine.chain.blockByNumber(2n)).toEqual(fork);
    expect(await chain.engine.chain.blockByNumber(3n)).toBeUndefined();
    expect((await chain.engine.chain.transaction(mine.hash))?.block.hash).toBe(fork.hash);
    expect(await chain.engine.chain.transaction(gone.hash)).toBeUndefined();
    // A block that was taken back stays known by its hash, and is told apart from the canonical one.
    expect((await chain.engine.chain.blockByHash(gone.block.hash))?.hash).toBe(gone.block.hash);
    expect(await chain.engine.chain.isCanonical({ hash: mine.block.hash, number: 2n })).toBe(false);
    expect((await chain.engine.accountAtHead(ana.address)).nonce).toBe(1n);
    expect((await chain.engine.accountAtHead(chi.address)).nonce).toBe(0n);

    const entries = await logOf(chain);
    expect(entries.map((e) => (e.kind === 'block' ? e.hash : e.reverted.map(({ hash }) => hash)))).toEqual([
      chain.engine.config.genesis.l2.hash,
      one.hash,
      mine.block.hash,
      gone.block.hash,
      [gone.block.hash, mine.block.hash],
      fork.hash,
    ]);

    const next = await chain.step();
    expect(signedHashes(next)).toEqual([gone.hash]);
    expect((await chain.engine.eventLog.head())?.hash).toBe(next.hash);
  });

  it('survives a restart right after a reorg', async () => {
    const chain = await TestChain.start();
    const one = await chain.step();
    await chain.steps(2);
    const fork = await chain.engine.insert(await sealOn(chain, one, [await signed(ana, { nonce: 0 })]));
    const reopened = await TestChain.start({ db: chain.db, genesis: chain.genesis, l1: chain.l1 });
    expect(reopened.engine.heads.unsafe.hash).toBe(fork.hash);
    expect((await reopened.step()).header.parentHash).toBe(fork.hash);
  });

  it.each([
    ['hash', (sealed: SealedBlock) => ({ ...sealed, hash: keccak256('0x01') })],
    ['state root', (sealed: SealedBlock) => ({ ...sealed, header: { ...sealed.header, stateRoot: zeroHash } })],
  ])('refuses a block whose %s was tampered with', async (_what, tamper) => {
    const chain = await TestChain.start();
    const head = await chain.step();
    const sealed = tamper(await sealOn(chain, head));
    await expect(chain.engine.insert(sealed)).rejects.toEqual(code('BLOCK_INVALID'));
    expect(chain.engine.heads.unsafe.hash).toBe(head.hash);
    expect((await chain.step()).header.parentHash).toBe(head.hash);
  });

  it('refuses a block on an unknown parent, or below the safe head', async () => {
    const chain = await TestChain.start();
    const [one, two] = (await chain.steps(2)) as [Block, Block];
    const sealed = await sealOn(chain, one, [await signed(ana, { nonce: 0 })]);
    await expect(chain.engine.begin(keccak256('0x02'), {} as never)).rejects.toEqual(code('BLOCK_UNKNOWN_PARENT'));
    await chain.engine.setHeads({ safe: { hash: two.hash, number: 2n } });
    await expect(chain.engine.insert(sealed)).rejects.toEqual(code('BLOCK_INVALID'));
    expect(chain.engine.heads.unsafe.hash).toBe(two.hash);
  });

  it('refuses a block that does not start with the L1 attributes', async () => {
    const chain = await TestChain.start();
    const sealed = await sealOn(chain, await chain.engine.headBlock());
    await expect(chain.engine.insert({ ...sealed, transactions: [] })).rejects.toEqual(code('BLOCK_INVALID'));
  });

  it('of the same blocks gives the same log hash on two nodes', async () => {
    const one = await TestChain.start();
    const two = await TestChain.start();
    await one.execute(ana, { to: bo.address, value: 7n });
    await two.step();
    const block = (await one.engine.chain.blockByNumber(1n)) as Block;
    const raws = block.transactions.slice(1).map(({ raw }) => raw);
    await two.engine.insert(await sealOn(two, (await two.engine.chain.blockByNumber(0n)) as Block, raws));
    expect(two.engine.heads).toEqual(one.engine.heads);
    expect((await two.engine.eventLog.head())?.logHash).toBe((await one.engine.eventLog.head())?.logHash);
  });
});

describe('heads', () => {
  it('keep finalized <= safe <= unsafe, all canonical, and never take finality back', async () => {
    const chain = await TestChain.start();
    const blocks = [await chain.engine.headBlock(), ...(await chain.steps(3))];
    const at = (n: number) => ({ hash: (blocks[n] as Block).hash, number: BigInt(n) });
    const refused = code('STORE_CORRUPT');
    await chain.engine.setHeads({ safe: at(2), finalized: at(1) });
    await expect(chain.engine.setHeads({ finalized: at(3) })).rejects.toEqual(refused);
    await expect(chain.engine.setHeads({ safe: at(0) })).rejects.toEqual(refused);
    await expect(chain.engine.setHeads({ safe: { ...at(3), number: 4n } })).rejects.toEqual(refused);
    await expect(chain.engine.setHeads({ safe: { hash: keccak256('0x01'), number: 2n } })).rejects.toEqual(refused);
    await expect(chain.engine.setHeads({ finalized: at(0) })).rejects.toEqual(refused);
    expect(chain.engine.heads).toMatchObject({ unsafe: at(3), safe: at(2), finalized: at(1) });
  });
});

describe('state', () => {
  it('read by many at once is the same as read one by one', async () => {
    const chain = await TestChain.start();
    for (let i = 0; i < 3; i++) await chain.execute(ana, { to: bo.address, value: BigInt(i) });
    const reader = new ChainReader(chain.engine, chain.mempool);
    const addresses = Object.keys(chain.genesis.alloc) as Address[];
    const reads = addresses.flatMap((address) => [
      () => reader.account(address, 'latest'),
      () => reader.code(address, 'latest'),
      ...Object.keys(chain.genesis.alloc[address]?.storage ?? {}).map(
        (slot) => () => reader.storage(address, slot as Address, 'latest'),
      ),
    ]);
    const together = await Promise.all(reads.map((read) => read()));
    const fresh = new ChainReader(
      (await TestChain.start({ db: chain.db, genesis: chain.genesis })).engine,
      chain.mempool,
    );
    for (const [index, address] of addresses.entries()) {
      if (index % 5 === 0)
        expect(await fresh.account(address, 'latest')).toEqual(await reader.account(address, 'latest'));
    }
    const single: unknown[] = [];
    for (const read of reads) single.push(await read());
    expect(together).toEqual(single);
  });

  it('conserves OPEN: what accounts own is what was minted', async () => {
    const people = [ana, bo, chi];
    const vaults = [
      opPredeploys.baseFeeVault,
      opPredeploys.l1FeeVault,
      opPredeploys.operatorFeeVault,
      opPredeploys.sequencerFeeVault,
    ];
    const stranger: Address = `0x${'5a'.repeat(20)}`;
    const chain = await TestChain.start({ systemConfig: { operatorFeeScalar: 3, operatorFeeConstant: 17n } });
    chain.l1.fees = { baseFee: 20n * 10n ** 9n, blobBaseFee: 3n };
    let minted = 4n * INITIAL_BALANCE;
    const who = fc.nat({ max: 2 });
    const value = fc.bigInt({ min: 0n, max: 10n ** 21n });
    const action = fc.oneof(
      fc.record({ kind: fc.constant('transfer' as const), from: who, value }),
      fc.record({ kind: fc.constant('revert' as const), from: who, value }),
      fc.record({ kind: fc.constant('deposit' as const), from: who, mint: value, value }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 6 }), async (actions) => {
        const deposits = actions.filter((a) => a.kind === 'deposit');
        for (const { mint } of deposits) minted += mint;
        chain.l1.mine(
          deposits.map((d) => ({
            from: lower((people[d.from] ?? ana).address),
            to: stranger,
            mint: d.mint,
            value: d.value,
          })),
        );
        for (const item of actions) {
          if (item.kind === 'deposit') continue;
          const account = people[item.from] ?? ana;
          const { nonce } = await chain.engine.accountAtHead(account.address);
          const to = item.kind === 'transfer' ? stranger : opPredeploys.l1Block;
          const next = chain.mempool.nextNonce(account.address, nonce);
          const raw = await signed(account, { nonce: Number(next), to, value: item.value, gas: 60_000n, data: '0x01' });
          await chain.mempool.add(raw).catch(() => {});
        }
        await chain.step();
        const owners = [
          ...people.map(({ address }) => address),
          governance.address,
          ...vaults,
          stranger,
          opPredeploys.l1Block,
        ];
        let total = 0n;
        for (const owner of owners) total += await chain.balance(owner);
        expect(total).toBe(minted);
      }),
      { numRuns: 25 },
    );
    expect(await chain.balance(stranger)).toBeGreaterThan(0n);
  });
});
