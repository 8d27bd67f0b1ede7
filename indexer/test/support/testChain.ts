import { createHash } from 'node:crypto';
import { type BlockRef, type ChainEvent, EventLog, type LogBlock, type LogTransaction } from '@openledger/event-log';
import { MemoryLevel } from 'memory-level';
import { Random } from './random.ts';
import { act, type DomainEvent, genesisWorld, owners, type World } from './world.ts';

type Hex = `0x${string}`;

const hashOf = (...parts: unknown[]): Hex => `0x${createHash('sha256').update(parts.join('|')).digest('hex')}`;
const BLOCK_SECONDS = 7_200n;

/** Stands for a node: makes blocks of valid domain events and keeps the real event log, reorgs included. */
export class TestChain {
  readonly log: EventLog;
  readonly #level: MemoryLevel<Uint8Array, Uint8Array>;
  readonly #random: Random;
  readonly #blocks: { block: LogBlock; world: World }[] = [];
  #made = 0;

  private constructor(level: MemoryLevel<Uint8Array, Uint8Array>, log: EventLog, seed: number) {
    this.#level = level;
    this.log = log;
    this.#random = new Random(seed);
  }

  static async open(seed = 1): Promise<TestChain> {
    const level = new MemoryLevel<Uint8Array, Uint8Array>({ keyEncoding: 'view', valueEncoding: 'view' });
    return new TestChain(level, await EventLog.open(level as never), seed);
  }

  /** A log that holds these blocks and has never held others. */
  static async replay(blocks: readonly LogBlock[]): Promise<TestChain> {
    const chain = await TestChain.open();
    for (const block of blocks) await chain.#write(block, genesisWorld());
    return chain;
  }

  get height(): number {
    return this.#blocks.length - 1;
  }

  get blocks(): readonly LogBlock[] {
    return this.#blocks.map(({ block }) => block);
  }

  /** The next block, of `transactions` random domain actions. */
  async mine(transactions = this.#random.below(5)): Promise<LogBlock> {
    const world = structuredClone(this.#blocks.at(-1)?.world ?? genesisWorld());
    const timestamp = this.#timestamp();
    return this.#append(
      Array.from({ length: transactions }, () => act(world, this.#random, timestamp)),
      world,
    );
  }

  /** The next block, of exactly these transactions. The chain's own world doesn't know them. */
  mineEvents(...transactions: DomainEvent[][]): Promise<LogBlock> {
    return this.#append(transactions, structuredClone(this.#blocks.at(-1)?.world ?? genesisWorld()));
  }

  async mineMany(count: number, transactions?: number): Promise<void> {
    for (let i = 0; i < count; i++) await this.mine(transactions);
  }

  /** Takes back `depth` blocks, at most down to the first. */
  async reorg(depth: number): Promise<void> {
    const ancestor = this.#blocks[Math.max(0, this.height - depth)]?.block;
    if (!ancestor) return;
    this.#blocks.length = Number(ancestor.number) + 1;
    const prepared = await this.log.prepareRevert({ number: ancestor.number, hash: ancestor.hash } satisfies BlockRef);
    await this.#level.batch(prepared.ops.map((op) => ({ ...op })));
    this.log.committed(prepared);
  }

  #timestamp(): bigint {
    return 1_700_000_000n + BigInt(this.#blocks.length) * BLOCK_SECONDS;
  }

  async #append(transactions: readonly DomainEvent[][], world: World): Promise<LogBlock> {
    const parent = this.#blocks.at(-1)?.block;
    const number = BigInt(this.#blocks.length);
    const salt = ++this.#made;
    let logIndex = 0;
    const events = transactions.flatMap((group, txIndex) =>
      group.map((event) => ({ ...event, txIndex, logIndex: logIndex++, subIndex: 0 }) as ChainEvent),
    );
    const block: LogBlock = {
      number,
      hash: hashOf('block', number, salt),
      parentHash: parent?.hash ?? hashOf('none'),
      timestamp: this.#timestamp(),
      gasUsed: 21_000n * BigInt(transactions.length),
      gasLimit: 30_000_000n,
      baseFee: 7n,
      l1Origin: { number: number / 6n, hash: hashOf('l1', number / 6n) },
      transactions: transactions.map((_, index) => this.#transaction(salt, index)),
      events,
    };
    await this.#write(block, world);
    return block;
  }

  async #write(block: LogBlock, world: World): Promise<void> {
    const prepared = this.log.prepareBlock(block);
    await this.#level.batch(prepared.ops.map((op) => ({ ...op })));
    this.#blocks.push({ block, world });
    this.log.committed(prepared);
  }

  #transaction(salt: number, index: number): LogTransaction {
    return {
      hash: hashOf('tx', salt, index),
      type: 2,
      from: this.#random.pick(owners),
      to: this.#random.pick(owners),
      contractAddress: null,
      value: 2n ** 200n,
      nonce: BigInt(index),
      gasUsed: 21_000n,
      fee: 147_000n,
      success: true,
      selector: '0x12345678',
    };
  }
}
