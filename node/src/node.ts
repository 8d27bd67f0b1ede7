import { join } from 'node:path';
import { createLifecycle, createMetrics, describeError, type Logger, printableUrl } from '@openledger/kit';
import { DerivationDriver } from './derivation/driver.ts';
import { Engine } from './engine/engine.ts';
import { startEngineServer } from './engineApi/engineServer.ts';
import { readJwtSecret } from './engineApi/jwt.ts';
import { nodeError } from './errors.ts';
import { Follower } from './follower/follower.ts';
import { forwardTransactions } from './follower/forwardTransactions.ts';
import { createL2Rpc } from './follower/l2Rpc.ts';
import type { Genesis } from './genesis/genesisBlock.ts';
import { withConfirmationDepth } from './l1/confirmationDepth.ts';
import type { L1Source } from './l1/l1Source.ts';
import { createL1RpcSource } from './l1/rpcL1Source.ts';
import { Mempool } from './mempool/mempool.ts';
import { PendingChain } from './pending/pendingChain.ts';
import { ChainReader } from './rpc/chainReader.ts';
import { startRpcServer } from './rpc/server.ts';
import { Sequencer } from './sequencer/sequencer.ts';
import { openLevelDb } from './state/openLevelDb.ts';

export type NodeOptions = {
  dataDir: string;
  genesis: Genesis;
  /** `trustRpc` takes the endpoint at its word; for an own L1 node on the same machine. */
  l1: { url: string; beaconUrl?: string; trustRpc: boolean };
  host: string;
  port: number;
  corsOrigins: readonly string[];
  /** Who extends the chain: this node, L1 alone, a sequencer elsewhere whose unsafe blocks are taken, or a consensus client. */
  role: NodeRole;
  /** L1 blocks that must stand on one before it is derived from. */
  verifierL1Confirmations: bigint;
  /** Of all transactions that wait; beyond it senders are asked to come back. */
  maxPoolBytes: number;
  /** Added to the machine's clock, milliseconds. */
  clockOffsetMs: number;
};

export type NodeRole =
  | { kind: 'sequencer'; l1Confirmations: bigint /** Between partial blocks; 0 makes none. */; flashblockMs: number }
  | { kind: 'verifier' }
  | { kind: 'follower'; sequencerUrl: string }
  | { kind: 'engine'; host: string; port: number; jwtSecretPath: string };

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
  const { role } = options;
  const lifecycle = createLifecycle(log);
  const metrics = createMetrics('openledger_node');
  const db = await openLevelDb(join(options.dataDir, 'chain'));
  lifecycle.add({ name: 'database', close: () => db.close() });
  try {
    const engine = await Engine.open({ db, genesis: options.genesis, log, metrics });
    const l1 = modules.l1 ?? createL1RpcSource(options.l1);
    const limits = { maxPoolBytes: options.maxPoolBytes };
    const mempool = await Mempool.open({ engine, db, log, metrics, limits });
    const now = () => Date.now() + options.clockOffsetMs;
    const pending = new PendingChain(engine);
    const chain = new ChainReader(engine, mempool, pending);
    const confirmed = withConfirmationDepth(l1, options.verifierL1Confirmations);
    const derivation =
      role.kind === 'engine'
        ? undefined
        : new DerivationDriver({ engine, l1: confirmed, config: engine.config, db, log, metrics });
    const status = { l1, ...(derivation ? { derivation } : {}) };
    const rpc = await startRpcServer({
      chain,
      status,
      ...(role.kind === 'follower' ? { overrides: forwardTransactions(role.sequencerUrl) } : {}),
      host: options.host,
      port: options.port,
      corsOrigins: options.corsOrigins,
      readiness: () => readiness(engine, l1, now),
      log,
      metrics,
      signal: lifecycle.signal,
    });
    lifecycle.add({ name: 'rpc', close: rpc.close });
    if (role.kind === 'engine') {
      const { host, port } = role;
      const jwtSecret = readJwtSecret(role.jwtSecretPath);
      const server = await startEngineServer({ chain, status, host, port, jwtSecret, now, log });
      lifecycle.add({ name: 'engine api', close: server.close });
      log.info({ url: server.url }, 'the Engine API waits for a consensus client');
    }
    let fail: (error: Error) => void = () => {};
    const failed = new Promise<Error>((resolve) => {
      fail = resolve;
    });
    const start = (name: string, part: { run(signal: AbortSignal): Promise<void> }): void => {
      const running = part.run(lifecycle.signal).catch((error) => {
        log.fatal({ err: error }, `the ${name} stopped: ${describeError(error)}`);
        fail(error instanceof Error ? error : nodeError('STORE_CORRUPT', describeError(error)));
      });
      lifecycle.add({ name, close: () => running });
    };
    if (role.kind === 'sequencer') {
      const { l1Confirmations, flashblockMs } = role;
      start(
        'sequencer',
        new Sequencer({ engine, mempool, pending, l1, l1Confirmations, flashblockMs, now, log, metrics }),
      );
    }
    if (role.kind === 'follower') {
      start('follower', new Follower({ engine, source: createL2Rpc(role.sequencerUrl), log, metrics }));
    }
    if (derivation) start('derivation', derivation);
    const head = engine.heads.unsafe.number;
    log.info({ url: rpc.url, l1: printableUrl(options.l1.url), role: role.kind, head }, 'node is up');
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
