import { createHash } from 'node:crypto';
import { NATIVE_TOKEN } from '@openledger/chain-config';
import { type ChainEvent, EventLog, eventSchema, type LevelDb } from '@openledger/event-log';
import { StandardMerkleTree } from '@openzeppelin/merkle-tree';
import { MemoryLevel } from 'memory-level';
import { getAddress, type Hex, keccak256, numberToHex, zeroHash } from 'viem';
import { describe, expect, it } from 'vitest';
import { baseModel, channelSettled, contribution, event, output, people, rules } from '../test/scenario.ts';
import { claimOf, computeEpoch, type EpochLedger } from './epoch.ts';
import { findProposal, verifyEpoch } from './verifyEpoch.ts';

/** A real event log, written as a node writes it. */
const openLog = async () => {
  const db = new MemoryLevel<Uint8Array, Uint8Array>({
    keyEncoding: 'view',
    valueEncoding: 'view',
  }) as unknown as LevelDb;
  const log = await EventLog.open(db);
  const commit = async (prepared: ReturnType<EventLog['prepareBlock']>) => {
    await db.batch([...prepared.ops]);
    log.committed(prepared);
  };
  return {
    log,
    block: async (events: ChainEvent[] = [], fork = 0) => {
      const head = await log.head();
      const number = head ? head.number + 1n : 0n;
      const hash = keccak256(numberToHex((number << 8n) + BigInt(fork)));
      const numbers = { timestamp: number, gasUsed: 0n, gasLimit: 0n, baseFee: 0n };
      const l1Origin = { number: 0n, hash: zeroHash };
      // Events that a test makes carry only what the ledger reads; the log wants all fields.
      const whole = events.map((item) => ({ ...item, args: fill(item) })) as unknown as ChainEvent[];
      const parentHash = head?.hash ?? zeroHash;
      await commit(
        log.prepareBlock({ number, hash, parentHash, ...numbers, l1Origin, transactions: [], events: whole }),
      );
      return { number, hash };
    },
    revertTo: async (ref: { number: bigint; hash: Hex }) => commit(await log.prepareRevert(ref)),
  };
};

const blanks = { uint: 0n, number: 0, string: '', bool: false, address: `0x${'00'.repeat(20)}`, bytes32: zeroHash };
const fill = (item: ChainEvent) =>
  Object.fromEntries(
    Object.entries(eventSchema[item.type].fields).map(([name, kind]) => [
      name,
      (item.args as Record<string, unknown>)[name] ?? blanks[kind],
    ]),
  );

const settled = (batch: bigint, amount: bigint) => [
  ...output(batch, { channel: 1n }, { id: Number(batch), model: 1n, rows: { 1: 1n } }),
  channelSettled(batch, amount),
];
const setup = [baseModel(1n), contribution(1n, people.ana)];
const code = (name: string) => expect.objectContaining({ code: name });

const settledLog = async () => {
  const chain = await openLog();
  await chain.block();
  await chain.block(setup);
  const last = await chain.block(settled(0n, 1000n));
  return { ...chain, last };
};

describe('computeEpoch', () => {
  it('makes the tree that OpenZeppelin makes of the same leaves', async () => {
    const { log } = await settledLog();
    const epoch = await computeEpoch({ reader: log, chainId: 1, toBlock: 2n, rules });
    const leaves = [
      [people.owner, NATIVE_TOKEN, '300'],
      [people.runner, NATIVE_TOKEN, '400'],
      [people.ana, NATIVE_TOKEN, '300'],
    ];
    expect(epoch.root).toBe(StandardMerkleTree.of(leaves, ['address', 'address', 'uint256']).root);
    expect(epoch.leaves).toEqual(leaves);
    expect(epoch.total).toBe(1000n);
    for (const leaf of leaves) {
      const claim = claimOf(epoch, getAddress(leaf[0] as Hex));
      expect(claim?.cumulative).toBe(BigInt(leaf[2] as string));
      expect(StandardMerkleTree.verify(epoch.root, ['address', 'address', 'uint256'], leaf, claim?.proof ?? [])).toBe(
        true,
      );
    }
    expect(claimOf(epoch, people.bo)).toBeUndefined();
  });

  it('writes a canonical file that names block and log, and hashes it', async () => {
    const { log, last } = await settledLog();
    const epoch = await computeEpoch({ reader: log, chainId: 16120, toBlock: 2n, rules });
    expect(JSON.parse(epoch.file)).toEqual({
      format: 'openledger-rewards-1',
      chainId: 16120,
      toBlock: '2',
      blockHash: last.hash,
      logHash: (await log.head())?.logHash,
      leaves: epoch.leaves,
    });
    expect(epoch.dataHash).toBe(`0x${createHash('sha256').update(epoch.file).digest('hex')}`);
  });

  it('is cumulative and stops at its block', async () => {
    const chain = await settledLog();
    await chain.block(settled(1n, 10n));
    const at = async (toBlock: bigint) => (await computeEpoch({ reader: chain.log, chainId: 1, toBlock, rules })).total;
    expect([await at(2n), await at(3n)]).toEqual([1000n, 1010n]);
  });

  it('leaves out what a reorg took back', async () => {
    const chain = await openLog();
    await chain.block();
    const base = await chain.block(setup);
    await chain.block(settled(0n, 555n));
    await chain.block(settled(1n, 666n));
    await chain.revertTo(base);
    await chain.block(settled(0n, 1000n), 1);
    const epoch = await computeEpoch({ reader: chain.log, chainId: 1, toBlock: 2n, rules });
    const straight = await openLog();
    await straight.block();
    await straight.block(setup);
    await straight.block(settled(0n, 1000n), 1);
    const expected = await computeEpoch({ reader: straight.log, chainId: 1, toBlock: 2n, rules });
    expect(epoch.file).toBe(expected.file);
  });

  it('does not depend on how the platform address is written', async () => {
    const chain = await openLog();
    const split = { version: 2, owner: 0, runner: 0, contributors: 0, stakers: 0, platform: 10_000 };
    await chain.block([...setup, event('SplitSet', split)]);
    const [recorded] = settled(0n, 100n);
    await chain.block([recorded as ChainEvent, channelSettled(0n, 100n, 2)]);
    const mixedCase = '0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045';
    const options = { reader: chain.log, chainId: 1, toBlock: 1n };
    const one = await computeEpoch({ ...options, rules: { platform: mixedCase } });
    const two = await computeEpoch({ ...options, rules: { platform: mixedCase.toLowerCase() as Hex } });
    expect(one.file).toBe(two.file);
    expect(claimOf(one, mixedCase)?.cumulative).toBe(100n);
  });

  it('says when the block is not there, or nothing is owed', async () => {
    const chain = await settledLog();
    const at = (toBlock: bigint) => computeEpoch({ reader: chain.log, chainId: 1, toBlock, rules });
    await expect(at(9n)).rejects.toEqual(code('REWARDS_BLOCK_UNKNOWN'));
    await expect(at(1n)).rejects.toEqual(code('REWARDS_NOTHING_OWED'));
  });
});

describe('verifyEpoch', () => {
  const proposal = (epoch: EpochLedger, changes: Partial<Record<'root' | 'dataHash', Hex>> & { total?: bigint } = {}) =>
    event('RootProposed', {
      epoch: 1n,
      root: epoch.root,
      total: epoch.total,
      dataHash: epoch.dataHash,
      toBlock: 2n,
      ...changes,
    });
  const verify = async (changes: Parameters<typeof proposal>[1]) => {
    const chain = await settledLog();
    const honest = await computeEpoch({ reader: chain.log, chainId: 1, toBlock: 2n, rules });
    await chain.block([proposal(honest, changes)]);
    return { honest, result: await verifyEpoch({ reader: chain.log, chainId: 1, epoch: 1n, rules }) };
  };

  it('agrees with an honest proposal', async () => {
    expect((await verify({})).result).toMatchObject({ epoch: 1n, ok: true, difference: undefined });
  });

  it('names the first thing that differs, with both values', async () => {
    const { honest, result } = await verify({ root: zeroHash, total: 1n, dataHash: zeroHash });
    expect(result).toMatchObject({
      ok: false,
      difference: { field: 'root', proposed: zeroHash, computed: honest.root },
    });
    expect((await verify({ total: 999n })).result.difference).toEqual({
      field: 'total',
      proposed: '999',
      computed: '1000',
    });
    expect((await verify({ dataHash: zeroHash })).result.difference?.field).toBe('dataHash');
  });

  it('takes the last proposal of an epoch, since a disputed one is proposed again', async () => {
    const chain = await settledLog();
    const honest = await computeEpoch({ reader: chain.log, chainId: 1, toBlock: 2n, rules });
    await chain.block([proposal(honest, { root: zeroHash })]);
    await chain.block([proposal(honest)]);
    expect((await verifyEpoch({ reader: chain.log, chainId: 1, epoch: 1n, rules })).ok).toBe(true);
  });

  it('knows no proposal that a reorg took back', async () => {
    const chain = await settledLog();
    const honest = await computeEpoch({ reader: chain.log, chainId: 1, toBlock: 2n, rules });
    await chain.block([proposal(honest)]);
    expect((await findProposal(chain.log, 1n)).root).toBe(honest.root);
    await chain.revertTo(chain.last);
    await chain.block([], 1);
    await expect(findProposal(chain.log, 1n)).rejects.toEqual(code('REWARDS_EPOCH_UNKNOWN'));
  });
});
