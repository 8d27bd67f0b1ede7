import type { RollupConfig } from '@openledger/chain-config';
import type { Logger } from '@openledger/kit';
import type { LocalAccount } from 'viem';
import { createL2Rpc } from '../follower/l2Rpc.ts';
import { createL1RpcSender } from '../l1/rpcL1Sender.ts';
import { type RunningSender, startSender } from '../l1/senderProcess.ts';
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

/** The batcher as a process of its own, beside a node that it reads over JSON-RPC. */
export const startBatcher = async (options: BatcherProcessOptions): Promise<RunningSender> => {
  const { dataDir, log, config, signer, confirmations } = options;
  const running = await startSender({ name: 'batcher', dataDir, log }, (db, metrics) =>
    Batcher.open({
      source: rpcBatchSource(createL2Rpc(options.nodeUrl), config),
      l1: createL1RpcSender({ url: options.l1Url }),
      signer,
      config,
      db,
      log,
      metrics,
      ...(options.options ? { options: options.options } : {}),
      transactions: { confirmations },
    }),
  );
  log.info({ from: signer.address, inbox: config.batchInboxAddress }, 'batcher is up');
  return running;
};
