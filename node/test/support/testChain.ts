import type { SystemConfig } from '@openledger/chain-config';
import type { LevelDb } from '@openledger/event-log';
import { createMetrics, type Logger, type Metrics, silentLogger } from '@openledger/kit';
import type { Address, Hex } from 'viem';
import type { PrivateKeyAccount } from 'viem/accounts';
import { Engine } from '../../src/engine/engine.ts';
import type { Genesis } from '../../src/genesis/genesisBlock.ts';
import type { MempoolLimits } from '../../src/mempool/admission.ts';
import { Mempool } from '../../src/mempool/mempool.ts';
import { PendingChain } from '../../src/pending/pendingChain.ts';
import type { Block } from '../../src/primitives/block.ts';
import type { Receipt } from '../../src/primitives/receipt.ts';
import { Sequencer } from '../../src/sequencer/sequencer.ts';
import { openMemoryDb } from './memoryDb.ts';
import { type Deposit, ScriptedL1 } from './scriptedL1.ts';
import { makeGenesis } from './testGenesis.ts';
import { signed, type TransactionFields } from './wallets.ts';

export type TestChainOptions = {
  db?: LevelDb;
  l1?: ScriptedL1;
  genesis?: Genesis;
  systemConfig?: Partial<SystemConfig>;
  limits?: Partial<MempoolLimits>;
  log?: Logger;
};

/** A whole sequencing node without network and clock: `step` makes the next block. */
export class TestChain {
  readonly db: LevelDb;
  readonly l1: ScriptedL1;
  readonly genesis: Genesis;
  readonly metrics: Metrics;
  readonly engine: Engine;
  readonly mempool: Mempool;
  readonly pending: PendingChain;
  readonly sequencer: Sequencer;

  private constructor(
    parts: Pick<TestChain, 'db' | 'l1' | 'genesis' | 'metrics' | 'engine' | 'mempool' | 'pending' | 'sequencer'>,
  ) {
    ({ db: this.db, l1: this.l1, genesis: this.genesis, metrics: this.metrics } = parts);
    ({ engine: this.engine, mempool: this.mempool, pending: this.pending, sequencer: this.sequencer } = parts);
  }

  static async start(options: TestChainOptions = {}): Promise<TestChain> {
    const log = options.log ?? silentLogger;
    const db = options.db ?? openMemoryDb();
    const l1 = options.l1 ?? new ScriptedL1();
    const genesis = options.genesis ?? (await makeGenesis(l1.genesis, options.systemConfig));
    const metrics = createMetrics('test');
    const engine = await Engine.open({ db, genesis, log, metrics });
    const mempool = await Mempool.open({ engine, db, log, metrics, limits: options.limits ?? {} });
    const pending = new PendingChain(engine);
    const clock = { l1Confirmations: 0n, flashblockMs: 200, now: Date.now };
    const sequencer = new Sequencer({ engine, mempool, pending, l1, ...clock, log, metrics });
    return new TestChain({ db, l1, genesis, metrics, engine, mempool, pending, sequencer });
  }

  step(): Promise<Block> {
    return this.sequencer.step();
  }

  async steps(count: number): Promise<Block[]> {
    const blocks: Block[] = [];
    for (let i = 0; i < count; i++) blocks.push(await this.step());
    return blocks;
  }

  /** Puts deposits on L1 and makes the L2 block that carries them. */
  async deposit(...deposits: Deposit[]): Promise<{ block: Block; receipts: readonly Receipt[] }> {
    this.l1.mine(deposits);
    const block = await this.step();
    return { block, receipts: block.receipts.slice(1) };
  }

  async send(account: PrivateKeyAccount, fields: TransactionFields): Promise<Hex> {
    return this.mempool.add(await signed(account, fields));
  }

  /** Sends a transaction with the sender's next nonce and makes the block that includes it. */
  async execute(
    account: PrivateKeyAccount,
    fields: Omit<TransactionFields, 'nonce'>,
  ): Promise<{ block: Block; receipt: Receipt; hash: Hex }> {
    const { nonce } = await this.engine.accountAtHead(account.address);
    const hash = await this.send(account, { gas: 3_000_000n, ...fields, nonce: Number(nonce) });
    const block = await this.step();
    const receipt = block.receipts[block.transactions.findIndex((tx) => tx.hash === hash)];
    if (!receipt) throw new Error(`transaction ${hash} was not included`);
    return { block, receipt, hash };
  }

  async balance(address: Address): Promise<bigint> {
    return (await this.engine.accountAtHead(address)).balance;
  }
}

/** Hashes of the signed transactions of a block. */
export const signedHashes = (block: Block): Hex[] =>
  block.transactions.filter((tx) => tx.kind === 'signed').map((tx) => tx.hash);
