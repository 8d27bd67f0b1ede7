import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { LevelDb } from '@openledger/event-log';
import { createLifecycle, createMetrics, describeError, type Logger, printableUrl } from '@openledger/kit';
import { ClassicLevel } from 'classic-level';
import { Engine } from './engine/engine.ts';
import { nodeError } from './errors.ts';
import type { Genesis } from './genesis/genesisBlock.ts';
import type { L1Source } from './l1/l1Source.ts';
import { createL1RpcSource } from './l1/rpcL1Source.ts';
import { Mempool } from './mempool/mempool.ts';
import { ChainReader } from './rpc/chainReader.ts';
import { startRpcServer } from './rpc/server.ts';
import { Sequencer } from './sequencer/sequencer.ts';

export type NodeOptions = {
  dataDir: string;
  genesis: Genesis;
  l1Url: string;
  host: string;
  port: number;
  corsOrigins: readonly string[];
  sequencer: { enabled: boolean; l1Confirmations: bigint; clockOffsetMs: number };
};

export type NodeModules = { log: Logger; l1?: L1Source };

export type RunningNode = {
  readonly url: string;
  readonly engine: Engine;
  /** Resolves when the node has ended by itself: only on a fatal error, which it carries. */
  readonly failed: Promise<Error>;
  close(): Promise<void>;
};

/** A head older than this many block times is reported as stuck. */
const STALE_BLOCKS = 20;

/** Composition root: builds the parts in the order in which data flows, closes them in reverse. */
export const startNode = async (options: NodeOptions, modules: NodeModules): Promise<RunningNode> => {
  const { log } = modules;
  const lifecycle = createLifecycle(log);
  const metrics = createMetrics('openledger_node');
  mkdirSync(options.dataDir, { recursive: true });
  const db = new ClassicLevel<Uint8Array, Uint8Array>(join(options.dataDir, 'chain'), {
    keyEncoding: 'view',
    valueEncoding: 'view',
  });
  await db.open();
  lifecycle.add({ name: 'database', close: () => db.close() });
  try {
    const engine = await Engine.open({ db: db as unknown as LevelDb, genesis: options.genesis, log, metrics });
    const l1 = modules.l1 ?? createL1RpcSource({ url: options.l1Url });
    const mempool = await Mempool.open({ engine, db: db as unknown as LevelDb, log, metrics });
    const now = () => Date.now() + options.sequencer.clockOffsetMs;
    const chain = new ChainReader(engine, mempool);
    const rpc = await startRpcServer({
      chain,
      l1,
      host: options.host,
      port: options.port,
      corsOrigins: options.corsOrigins,
      readiness: () => readiness(engine, l1, now),
      log,
      metrics,
      signal: lifecycle.signal,
    });
    lifecycle.add({ name: 'rpc', close: rpc.close });
    let fail: (error: Error) => void = () => {};
    const failed = new Promise<Error>((resolve) => {
      fail = resolve;
    });
    if (options.sequencer.enabled) {
      const sequencer = new Sequencer({
        engine,
        mempool,
        l1,
        l1Confirmations: options.sequencer.l1Confirmations,
        now,
        log,
        metrics,
      });
      const running = sequencer.run(lifecycle.signal).catch((error) => {
        log.fatal({ err: error }, `the sequencer stopped: ${describeError(error)}`);
        fail(error instanceof Error ? error : nodeError('STORE_CORRUPT', describeError(error)));
      });
      lifecycle.add({ name: 'sequencer', close: () => running });
    }
    log.info({ url: rpc.url, l1: printableUrl(options.l1Url), head: engine.heads.unsafe.number }, 'node is up');
    return { url: rpc.url, engine, failed, close: lifecycle.close };
  } catch (error) {
    await lifecycle.close();
    throw error;
  }
};

const readiness = async (engine: Engine, l1: L1Source, now: () => number): Promise<string[]> => {
  const reasons: string[] = [];
  const head = await engine.headBlock();
  const age = now() / 1000 - Number(head.header.timestamp);
  const limit = Number(engine.config.blockTime) * STALE_BLOCKS;
  if (age > limit) reasons.push(`the head is ${Math.round(age)} s old (limit ${limit} s)`);
  try {
    await l1.head('latest');
  } catch (error) {
    reasons.push(describeError(error));
  }
  return reasons;
};
