import { mkdirSync } from 'node:fs';
import type { RollupConfig } from '@openledger/chain-config';
import type { LevelDb } from '@openledger/event-log';
import { createLifecycle, createMetrics, describeError, type Logger } from '@openledger/kit';
import { ClassicLevel } from 'classic-level';
import type { LocalAccount } from 'viem';
import { createL2Rpc } from '../follower/l2Rpc.ts';
import { createL1RpcSender } from '../l1/rpcL1Sender.ts';
import { Batcher } from './batcher.ts';
import type { BatcherOptions } from './batcherOptions.ts';
import { rpcBatchSource } from './rpcBatchSource.ts';

export type BatcherProcessOptions = {
  /** Folder of the journal. */
  readonly dataDir: string;
  readonly nodeUrl: string;
  readonly l1Url: string;
  readonly config: RollupConfig;
  readonly signer: LocalAccount;
  readonly options?: Partial<BatcherOptions>;
  /** L1 blocks that a transaction needs on top of it. */
  readonly confirmations: number;
  readonly log: Logger;
};

export type RunningSender = {
  /** Resolves on a fatal error, which it carries. */
  readonly failed: Promise<Error>;
  close(): Promise<void>;
};

/** The batcher as a process of its own, beside a node that it reads over JSON-RPC. */
export const startBatcher = async (options: BatcherProcessOptions): Promise<RunningSender> => {
  const { log, config, signer, confirmations } = options;
  const lifecycle = createLifecycle(log);
  mkdirSync(options.dataDir, { recursive: true });
  const level = new ClassicLevel<Uint8Array, Uint8Array>(options.dataDir, {
    keyEncoding: 'view',
    valueEncoding: 'view',
  });
  await level.open();
  lifecycle.add({ name: 'journal', close: () => level.close() });
  try {
    const batcher = await Batcher.open({
      source: rpcBatchSource(createL2Rpc(options.nodeUrl), config),
      l1: createL1RpcSender({ url: options.l1Url }),
      signer,
      config,
      db: level as unknown as LevelDb,
      log,
      metrics: createMetrics('openledger_batcher'),
      ...(options.options ? { options: options.options } : {}),
      transactions: { confirmations },
    });
    const failed = new Promise<Error>((resolve) => {
      const running = batcher.run(lifecycle.signal).catch((error: Error) => {
        log.fatal({ err: error }, `the batcher stopped: ${describeError(error)}`);
        resolve(error);
      });
      lifecycle.add({ name: 'batcher', close: () => running });
    });
    log.info({ from: signer.address, inbox: config.batchInboxAddress }, 'batcher is up');
    return { failed, close: lifecycle.close };
  } catch (error) {
    await lifecycle.close();
    throw error;
  }
};
