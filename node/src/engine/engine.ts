import { createAddressFromString } from '@ethereumjs/util';
import type { BlockId, RollupConfig } from '@openledger/chain-config';
import { type ChainEvent, EventLog, type LevelDb, type PutOp } from '@openledger/event-log';
import type { Logger, Metrics } from '@openledger/kit';
import type { Address, Hex } from 'viem';
import { ChainStore, type Heads } from '../chain/chainStore.ts';
import { nodeError } from '../errors.ts';
import { decodeEvents } from '../events/decodeEvents.ts';
import type { BlockExecution, SealedBlock } from '../execution/blockExecution.ts';
import type { BlockAttributes, BlockHashes, ChainRules } from '../execution/chainRules.ts';
import type { Genesis } from '../genesis/genesisBlock.ts';
import { type EthereumGenesis, prepareGenesis } from '../genesis/prepareGenesis.ts';
import { type Block, blockIdOf } from '../primitives/block.ts';
import { hashHeader } from '../primitives/header.ts';
import { StateStore, type StateView } from '../state/stateStore.ts';
import { toLogBlock } from './toLogBlock.ts';

export type EngineOptions = { db: LevelDb; genesis: Genesis | EthereumGenesis; log: Logger; metrics: Metrics };

/**
 * The one door through which a block becomes canonical, whether sequenced or derived. A block, its state, its events and
 * the heads are one LevelDB batch, synced before anyone is told. Calls that move the head are serialised.
 */
export class Engine {
  readonly rules: ChainRules;
  readonly chain: ChainStore;
  readonly states: StateStore;
  readonly eventLog: EventLog;
  readonly #config: RollupConfig | undefined;
  readonly #db: LevelDb;
  readonly #log: Logger;
  readonly #commitSeconds;
  readonly #headGauge;
  readonly #listeners = new Set<(block: Block, reverted: readonly Block[]) => void>();
  #headView: { hash: Hex; view: Promise<StateView> } | undefined;
  #queue: Promise<unknown> = Promise.resolve();

  private constructor(
    options: EngineOptions,
    parts: {
      config: RollupConfig | undefined;
      rules: ChainRules;
      chain: ChainStore;
      states: StateStore;
      eventLog: EventLog;
    },
  ) {
    this.#db = options.db;
    this.#log = options.log;
    this.#config = parts.config;
    this.rules = parts.rules;
    this.chain = parts.chain;
    this.states = parts.states;
    this.eventLog = parts.eventLog;
    this.#commitSeconds = options.metrics.histogram(
      'block_commit_seconds',
      'Time of the synced batch write of a block',
    );
    this.#headGauge = options.metrics.gauge('refs_number', 'Block number of each head', ['layer', 'type']);
  }

  /** Opens the chain, writing block 0 on first use. @throws STORE_WRONG_CHAIN, STORE_CORRUPT */
  static async open(options: EngineOptions): Promise<Engine> {
    const { db, genesis } = options;
    const states = new StateStore(db);
    const { rules, block, stateWrites, config } = await prepareGenesis(genesis, states);
    const chain = await ChainStore.open(db, rules, block.hash);
    const eventLog = await EventLog.open(db);
    const l2 = blockIdOf(block);
    const engine = new Engine(options, { config, rules, chain, states, eventLog });
    if (chain.isEmpty) {
      const heads = { unsafe: l2, safe: l2, finalized: l2 };
      const told = { reverted: [], events: decodeEvents(block) };
      await engine.#commit(block, heads, [...stateWrites, ...chain.prepareGenesis(block)], told);
    }
    await engine.#checkConsistency();
    return engine;
  }

  /** The rollup's configuration. @throws NOT_A_ROLLUP on a plain Ethereum chain */
  get config(): RollupConfig {
    if (!this.#config) throw nodeError('NOT_A_ROLLUP', 'this chain is not a rollup');
    return this.#config;
  }

  get heads(): Heads {
    return this.chain.heads;
  }

  async headBlock(): Promise<Block> {
    return this.#require(this.heads.unsafe.hash);
  }

  /** A read-only view of the head's state, shared by callers until the head moves; never write through it. */
  async stateAtHead(): Promise<StateView> {
    const head = await this.headBlock();
    if (this.#headView?.hash !== head.hash) {
      this.#headView = { hash: head.hash, view: this.stateOf(head) };
    }
    return this.#headView.view;
  }

  /** A view of the state after `block`, for the caller alone: what is written through it is seen by nobody else. */
  stateOf(block: Block): Promise<StateView> {
    return this.states.at(block.header.stateRoot, this.rules.commonAt(block.header));
  }

  async accountAtHead(address: Address): Promise<{ nonce: bigint; balance: bigint }> {
    const { manager } = await this.stateAtHead();
    const account = await manager.getAccount(createAddressFromString(address));
    return { nonce: account?.nonce ?? 0n, balance: account?.balance ?? 0n };
  }

  /** Told after each commit, with the blocks that the new one replaced (highest first). Listeners must not throw. */
  onBlock(listener: (block: Block, reverted: readonly Block[]) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  blockHashes(): BlockHashes {
    return { hashOf: (number) => this.chain.hashByNumber(number) };
  }

  /** Starts a block on `parent`; nothing is written until `insert`. With `noted` its state can tell what was written (`takeDiff`). */
  async begin(
    parentHash: Hex,
    attributes: BlockAttributes,
    { noted = false }: { readonly noted?: boolean } = {},
  ): Promise<BlockExecution> {
    const parent = await this.#require(parentHash);
    if (attributes.timestamp <= parent.header.timestamp) {
      throw nodeError('BLOCK_INVALID', 'timestamp is not after the parent', { timestamp: attributes.timestamp });
    }
    const time = { number: parent.header.number + 1n, timestamp: attributes.timestamp };
    const view = await this.states.at(parent.header.stateRoot, this.rules.commonAt(time));
    if (noted) await view.manager.takeDiff();
    return this.rules.begin({ view, parent: parent.header, attributes, blockHashes: this.blockHashes() });
  }

  /**
   * Makes a sealed block the unsafe head; a block that isn't the head's child first takes the chain back to its parent. With
   * `safe` it is the safe head too, in the same batch: nothing can come in between. With `onHead` only while that is the head.
   * `events` where they were decoded before.
   * @throws HEAD_MOVED
   */
  insert(
    sealed: SealedBlock,
    options: { readonly safe?: boolean; readonly onHead?: Hex; readonly events?: readonly ChainEvent[] } = {},
  ): Promise<Block> {
    return this.#serialised(() => {
      const { unsafe } = this.heads;
      if (options.onHead && options.onHead !== unsafe.hash) {
        throw nodeError('HEAD_MOVED', 'the head is another block by now', { head: unsafe.hash });
      }
      return this.#insert(sealed, options);
    });
  }

  /** Moves safe and finalized. Invariant: finalized <= safe <= unsafe, all canonical. */
  setHeads(update: { safe?: BlockId; finalized?: BlockId }): Promise<void> {
    return this.#serialised(async () => {
      const heads: Heads = { ...this.heads, ...update };
      await this.#checkHeads(heads);
      if (heads.finalized.number < this.heads.finalized.number) {
        throw nodeError('STORE_CORRUPT', 'what is final stays final', { finalized: heads.finalized.number });
      }
      await this.#write(this.chain.prepareHeads(heads));
      this.chain.committed(heads);
      this.#observe(heads);
    });
  }

  async #insert(sealed: SealedBlock, known: { safe?: boolean; events?: readonly ChainEvent[] }): Promise<Block> {
    const block = this.#toBlock(sealed);
    const reverted = await this.#revertTo(block.header.parentHash);
    await this.#extend(block, [...sealed.stateWrites, ...this.chain.prepareBody(block)], reverted, known);
    return block;
  }

  /**
   * Stores a sealed block beside the chain, without making it canonical: the Engine API executes payloads before it is told
   * to follow them. Synced when this returns.
   */
  async store(sealed: SealedBlock): Promise<Block> {
    const block = this.#toBlock(sealed);
    await this.#write([...sealed.stateWrites, ...this.chain.prepareBody(block)]);
    return block;
  }

  /**
   * Makes a stored block the unsafe head, whether it is an ancestor of the head, a descendant or on a fork of its own.
   * @throws BLOCK_UNKNOWN_PARENT when it, or a block between it and the canonical chain, isn't stored
   */
  setUnsafeHead(hash: Hex): Promise<void> {
    return this.#serialised(async () => {
      const path: Block[] = [];
      let block = await this.#require(hash);
      while (!(await this.chain.isCanonical(blockIdOf(block)))) {
        path.unshift(block);
        block = await this.#require(block.header.parentHash);
      }
      let reverted = await this.#revertTo(block.hash);
      for (const next of path) {
        await this.#extend(next, [], reverted);
        reverted = [];
      }
    });
  }

  #toBlock(sealed: SealedBlock): Block {
    const { origin, sequenceNumber } = this.rules.l1OriginOf(sealed.transactions);
    const { hash, header, transactions, receipts, withdrawals, uncles } = sealed;
    if (hashHeader(header) !== hash) throw nodeError('BLOCK_INVALID', 'the block does not have its hash', { hash });
    return { hash, header, transactions, receipts, withdrawals, uncles, l1Origin: origin, sequenceNumber };
  }

  /** The head's child becomes the head. */
  async #extend(
    block: Block,
    writes: readonly PutOp[],
    reverted: readonly Block[],
    { safe = false, events = decodeEvents(block) }: { safe?: boolean; events?: readonly ChainEvent[] } = {},
  ): Promise<void> {
    const unsafe = blockIdOf(block);
    const heads = { ...this.heads, unsafe, ...(safe ? { safe: unsafe } : {}) };
    await this.#commit(block, heads, [...writes, ...this.chain.prepareCanonical(block)], { reverted, events });
  }

  /** Takes unsafe blocks back until the head is `parentHash`; the marker is written before the replacing block is. */
  async #revertTo(parentHash: Hex): Promise<Block[]> {
    const reverted: Block[] = [];
    if (this.heads.unsafe.hash === parentHash) return reverted;
    const parent = await this.#require(parentHash);
    const ancestor = blockIdOf(parent);
    if (!(await this.chain.isCanonical(ancestor)) || ancestor.number < this.heads.safe.number) {
      throw nodeError('BLOCK_INVALID', 'the parent is not a canonical block at or above the safe head', { parentHash });
    }
    for (let hash = this.heads.unsafe.hash; hash !== parentHash; ) {
      const block = await this.#require(hash);
      reverted.push(block);
      hash = block.header.parentHash;
    }
    const prepared = await this.eventLog.prepareRevert(ancestor);
    const heads = { ...this.heads, unsafe: ancestor };
    await this.#write([...prepared.ops, ...this.chain.prepareHeads(heads)]);
    this.chain.committed(heads);
    this.eventLog.committed(prepared);
    this.#log.warn({ to: ancestor.number, blocks: reverted.length }, 'unsafe blocks reverted');
    return reverted;
  }

  async #commit(
    block: Block,
    heads: Heads,
    ops: PutOp[],
    { reverted, events }: { reverted: readonly Block[]; events: readonly ChainEvent[] },
  ): Promise<void> {
    const prepared = this.eventLog.prepareBlock(toLogBlock(block, events));
    const stop = this.#commitSeconds.startTimer();
    await this.#write([...ops, ...prepared.ops, ...this.chain.prepareHeads(heads)]);
    stop();
    this.chain.committed(heads, block);
    this.eventLog.committed(prepared);
    this.#observe(heads);
    for (const listener of this.#listeners) listener(block, reverted);
  }

  async #write(ops: readonly PutOp[]): Promise<void> {
    const batch = this.#db.batch();
    for (const { key, value } of ops) batch.put(key, value);
    await batch.write({ sync: true } as Parameters<typeof batch.write>[0]);
  }

  async #require(hash: Hex): Promise<Block> {
    const block = await this.chain.blockByHash(hash);
    if (!block) throw nodeError('BLOCK_UNKNOWN_PARENT', `block ${hash} is not in the store`, { hash });
    return block;
  }

  async #checkHeads(heads: Heads): Promise<void> {
    const ordered = heads.finalized.number <= heads.safe.number && heads.safe.number <= heads.unsafe.number;
    const canonical = (await this.chain.isCanonical(heads.safe)) && (await this.chain.isCanonical(heads.finalized));
    if (!ordered || !canonical) throw nodeError('STORE_CORRUPT', 'finalized <= safe <= unsafe does not hold');
  }

  /** One batch a block means that log and chain can't drift apart; if they did, stop instead of building on it. */
  async #checkConsistency(): Promise<void> {
    await this.#checkHeads(this.heads);
    const logHead = await this.eventLog.head();
    if (logHead?.hash !== this.heads.unsafe.hash) {
      throw nodeError('STORE_CORRUPT', 'event log and chain end at different blocks', { log: logHead?.hash });
    }
    this.#observe(this.heads);
  }

  #observe(heads: Heads): void {
    this.#headGauge.set({ layer: 'l2', type: 'l2_unsafe' }, Number(heads.unsafe.number));
    this.#headGauge.set({ layer: 'l2', type: 'l2_safe' }, Number(heads.safe.number));
    this.#headGauge.set({ layer: 'l2', type: 'l2_finalized' }, Number(heads.finalized.number));
  }

  #serialised<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(work, work);
    this.#queue = result.catch(() => {});
    return result;
  }
}
