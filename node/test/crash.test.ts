import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { computeLogHash, type LevelDb } from '@openledger/event-log';
import { ClassicLevel } from 'classic-level';
import { type Hex, zeroHash } from 'viem';
import { afterAll, expect, it } from 'vitest';
import { preparePayloadAttributes } from '../src/attributes/payloadAttributes.ts';
import type { Engine } from '../src/engine/engine.ts';
import type { Block } from '../src/primitives/block.ts';
import { ScriptedL1 } from './support/scriptedL1.ts';
import { TestChain } from './support/testChain.ts';

const KILLS = 8;
const SEED = Number(process.env.CRASH_SEED ?? 20_261_121);
const folder = mkdtempSync(join(tmpdir(), 'openledger-crash-'));
const children = new Set<ChildProcess>();
afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

/** mulberry32: the same kills for the same seed. */
const randomOf = (seed: number) => () => {
  seed = (seed + 0x6d2b79f5) | 0;
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
};

type Acknowledged = { transactions: Set<Hex>; blocks: Map<bigint, Hex> };

type Child = ReturnType<typeof load>;

/** A child that has everything loaded and waits for its turn. */
const load = () => {
  const script = new URL('./support/crashChild.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, ['--import', 'tsx', script, folder], { stdio: ['pipe', 'pipe', 'inherit'] });
  children.add(child);
  return child;
};

/** Lets the child run and kills it a random moment after a random number of acknowledgements. */
const runAndKill = async (child: Child, acknowledged: Acknowledged, random: () => number): Promise<void> => {
  child.stdin.write('go');
  const exited = once(child, 'exit');
  const wanted = 1 + Math.floor(random() * 60);
  const delayUs = Math.floor(random() * 8_000);
  let lines = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    const [kind, first, second] = line.split(' ');
    if (kind === 'tx') acknowledged.transactions.add(first as Hex);
    if (kind === 'block') acknowledged.blocks.set(BigInt(first ?? 0), second as Hex);
    if (++lines === wanted) {
      const until = performance.now() + delayUs / 1000;
      while (performance.now() < until);
      child.kill('SIGKILL');
    }
  }
  const [, signal] = await exited;
  children.delete(child);
  expect(signal, 'the child ended before it was killed').toBe('SIGKILL');
};

const open = async () => {
  const db = new ClassicLevel<Uint8Array, Uint8Array>(folder, { keyEncoding: 'view', valueEncoding: 'view' });
  await db.open();
  const chain = await TestChain.start({ db: db as unknown as LevelDb, l1: new ScriptedL1() });
  return { chain, close: () => db.close() };
};

const blocksOf = async (engine: Engine): Promise<Block[]> => {
  const blocks: Block[] = [];
  for (let number = 0n; number <= engine.heads.unsafe.number; number++) {
    const block = await engine.chain.blockByNumber(number);
    if (!block) throw new Error(`gap: no block ${number}`);
    blocks.push(block);
  }
  return blocks;
};

const verifyLog = async (engine: Engine, blocks: readonly Block[]): Promise<void> => {
  let parent: Hex = zeroHash;
  let index = 0;
  for await (const entry of engine.eventLog.read(0)) {
    if (entry.kind !== 'block') throw new Error('nothing was reverted here');
    const { kind: _kind, seq, logHash, ...content } = entry;
    expect(computeLogHash(content, parent)).toBe(logHash);
    expect([seq, entry.hash]).toEqual([index, blocks[index]?.hash]);
    parent = logHash;
    index++;
  }
  expect(await engine.eventLog.head()).toMatchObject({
    hash: engine.heads.unsafe.hash,
    logHash: parent,
    nextSeq: index,
  });
  expect(index).toBe(blocks.length);
};

it(`loses nothing that was acknowledged when it is killed ${KILLS} times (CRASH_SEED=${SEED})`, async () => {
  const random = randomOf(SEED);
  const acknowledged: Acknowledged = { transactions: new Set(), blocks: new Map() };
  const loading: Child[] = [load()];
  for (let kill = 0; kill < KILLS; kill++) {
    if (kill + 1 < KILLS) loading.push(load());
    await runAndKill(loading.shift() ?? load(), acknowledged, random);
    const { chain, close } = await open();
    const blocks = await blocksOf(chain.engine);
    for (const [number, hash] of acknowledged.blocks) expect(blocks[Number(number)]?.hash).toBe(hash);
    for (const hash of acknowledged.transactions) {
      const placed = await chain.engine.chain.transaction(hash);
      expect(placed ?? chain.mempool.get(hash), `transaction ${hash} after kill ${kill}`).toBeDefined();
    }
    await verifyLog(chain.engine, blocks);
    await close();
  }
  expect(acknowledged.blocks.size).toBeGreaterThan(KILLS);
  expect(acknowledged.transactions.size).toBeGreaterThan(KILLS);

  // A node that was never killed gets the same chain from the same transactions.
  const { chain, close } = await open();
  const blocks = await blocksOf(chain.engine);
  const fresh = await TestChain.start();
  const { engine, l1 } = fresh;
  const { config } = engine;
  for (const block of blocks.slice(1)) {
    const parent = await engine.headBlock();
    const attributes = await preparePayloadAttributes({ config, parent, origin: l1.genesis, l1 });
    const execution = await engine.begin(parent.hash, attributes.block);
    for (const transaction of block.transactions) await execution.apply(transaction);
    await engine.insert(await execution.seal());
  }
  expect(engine.heads.unsafe).toEqual(chain.engine.heads.unsafe);
  expect((await engine.headBlock()).header.stateRoot).toBe((await chain.engine.headBlock()).header.stateRoot);
  expect((await engine.eventLog.head())?.logHash).toBe((await chain.engine.eventLog.head())?.logHash);
  await close();
}, 120_000);
