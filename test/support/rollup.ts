import { openLedgerChain } from '@openledger/chain-config';
import type { LevelDb } from '@openledger/event-log';
import { createMetrics, silentLogger } from '@openledger/kit';
import type { Chain } from 'viem';
import { vi } from 'vitest';
import { Batcher } from '../../node/src/batcher/batcher.ts';
import type { DataKind } from '../../node/src/batcher/batcherOptions.ts';
import { rpcBatchSource } from '../../node/src/batcher/rpcBatchSource.ts';
import { DerivationDriver } from '../../node/src/derivation/driver.ts';
import { Engine } from '../../node/src/engine/engine.ts';
import { createL2Rpc } from '../../node/src/follower/l2Rpc.ts';
import { createL1RpcSender } from '../../node/src/l1/rpcL1Sender.ts';
import { Mempool } from '../../node/src/mempool/mempool.ts';
import { PendingChain } from '../../node/src/pending/pendingChain.ts';
import { createOutputOracle } from '../../node/src/proposer/outputOracle.ts';
import { Proposer } from '../../node/src/proposer/proposer.ts';
import { ChainReader } from '../../node/src/rpc/chainReader.ts';
import { startRpcServer } from '../../node/src/rpc/server.ts';
import { Sequencer } from '../../node/src/sequencer/sequencer.ts';
import { openMemoryDb } from '../../node/test/support/memoryDb.ts';
import { batcher, l1SourceOf, proposer, type RollupL1, startRollupL1 } from './rollupL1.ts';

const log = silentLogger;
/** L1 blocks within which anything that will happen has happened. */
const PATIENCE = 60;

/**
 * L1, a sequencing node with its RPC, batcher and proposer in one process. Nothing moves by itself: `turn` is one L1 block and
 * all that follows from it. The process' clock (`Date`) is L1's, so that clients which compare the two agree with the chain.
 */
export class Rollup {
  readonly l1: RollupL1;
  readonly engine: Engine;
  readonly driver: DerivationDriver;
  readonly sequencer: Sequencer;
  readonly proposer: Proposer;
  readonly url: string;
  readonly chain: Chain;
  readonly close: () => Promise<void>;
  readonly #journal: LevelDb = openMemoryDb();
  #batcher: Batcher | undefined;

  private constructor(
    parts: Pick<Rollup, 'l1' | 'engine' | 'driver' | 'sequencer' | 'proposer' | 'url' | 'chain' | 'close'>,
  ) {
    ({ l1: this.l1, engine: this.engine, driver: this.driver, sequencer: this.sequencer } = parts);
    ({ proposer: this.proposer, url: this.url, chain: this.chain, close: this.close } = parts);
  }

  static async start(timestamp: bigint): Promise<Rollup> {
    vi.useFakeTimers({ toFake: ['Date'], now: Number(timestamp) * 1000 });
    const l1 = await startRollupL1(timestamp);
    const { genesis, l1Contracts } = l1.file;
    const parts = { db: openMemoryDb(), log, metrics: createMetrics('node') };
    const source = l1SourceOf(l1);
    const engine = await Engine.open({ ...parts, genesis });
    const mempool = await Mempool.open({ ...parts, engine });
    const sequencer = new Sequencer({
      ...parts,
      engine,
      mempool,
      pending: new PendingChain(engine),
      l1: source,
      l1Confirmations: 0n,
      flashblockMs: 0,
      now: Date.now,
    });
    const driver = new DerivationDriver({ ...parts, engine, l1: source, config: engine.config });
    const abort = new AbortController();
    const server = await startRpcServer({
      ...parts,
      chain: new ChainReader(engine, mempool),
      status: { l1: source, derivation: driver },
      ...{ host: '127.0.0.1', port: 0, corsOrigins: [], readiness: async () => [], signal: abort.signal },
    });
    const node = createL2Rpc(server.url);
    const { l1ChainId, l2ChainId: id } = engine.config;
    const output = await Proposer.open({
      source: { heads: () => node.heads(), blockByNumber: (number) => node.blockByNumber(number) },
      oracle: createOutputOracle({ url: l1.url, address: l1Contracts.l2OutputOracle }),
      ...{ l1: createL1RpcSender({ url: l1.url }), signer: proposer, l1ChainId, db: openMemoryDb(), log },
      ...{ metrics: createMetrics('proposer'), transactions: { confirmations: 2 } },
    });
    const close = async () => {
      abort.abort();
      await server.close();
      await l1.anvil.stop();
      vi.useRealTimers();
    };
    const chain = openLedgerChain({ id, name: 'L2', rpcUrl: server.url, l1ChainId, contracts: l1Contracts });
    return new Rollup({ l1, engine, driver, sequencer, proposer: output, url: server.url, chain, close });
  }

  /** Starts the batcher, or starts it again on its journal, with data in this form. */
  async batchAs(dataAvailability: DataKind): Promise<void> {
    this.#batcher = await Batcher.open({
      source: rpcBatchSource(createL2Rpc(this.url), this.engine.config),
      ...{ l1: createL1RpcSender({ url: this.l1.url }), signer: batcher, config: this.engine.config, log },
      ...{ db: this.#journal, metrics: createMetrics('batcher'), transactions: { confirmations: 2 } },
      options: { dataAvailability, maxChannelDuration: dataAvailability === 'blobs' ? 6n : 2n },
    });
  }

  /** One L1 block, so many seconds after the one before, and all that follows from it. */
  async turn(seconds?: bigint): Promise<void> {
    const timestamp = await this.#mine(seconds);
    while ((await this.engine.headBlock()).header.timestamp < timestamp) await this.sequencer.step();
    await this.#follow();
  }

  /** L1 goes on and L2 makes no more blocks, until all it has are safe. */
  async settle(): Promise<void> {
    const { heads } = this.engine;
    for (let turns = 0; turns < PATIENCE && this.engine.heads.safe.hash !== heads.unsafe.hash; turns++) {
      this.#batcher?.flush();
      await this.#mine();
      await this.#follow();
    }
  }

  /** The new L1 block's time. */
  async #mine(seconds?: bigint): Promise<bigint> {
    const { anvil, client } = this.l1;
    const { timestamp: last } = await client.getBlock();
    if (seconds) await anvil.client.setNextBlockTimestamp({ timestamp: last + seconds });
    await anvil.mine();
    const { timestamp } = await client.getBlock();
    vi.setSystemTime(Number(timestamp) * 1000);
    return timestamp;
  }

  async #follow(): Promise<void> {
    const turn = await this.#batcher?.step();
    if (turn?.reset) throw new Error(`the batcher started again: ${turn.reset}`);
    while ((await this.driver.step()) !== 'idle');
    await this.proposer.step();
  }

  /** Turns until the answer is what is waited for. */
  async until(reached: () => Promise<boolean>): Promise<void> {
    for (let turns = 0; turns < PATIENCE; turns++) {
      if (await reached()) return;
      await this.turn();
    }
    throw new Error(`it did not happen within ${PATIENCE} L1 blocks`);
  }
}
