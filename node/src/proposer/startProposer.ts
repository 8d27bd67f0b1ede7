import type { Logger } from '@openledger/kit';
import type { Address, LocalAccount } from 'viem';
import { createL2Rpc } from '../follower/l2Rpc.ts';
import { createL1RpcSender } from '../l1/rpcL1Sender.ts';
import { type RunningSender, startSender } from '../l1/senderProcess.ts';
import { createOutputOracle } from './outputOracle.ts';
import { Proposer } from './proposer.ts';

export type ProposerProcessOptions = {
  /** Folder of the journal. */
  readonly dataDir: string;
  readonly nodeUrl: string;
  readonly l1Url: string;
  readonly l1ChainId: number;
  readonly oracle: Address;
  readonly signer: LocalAccount;
  readonly allowNonFinalized: boolean;
  readonly pollIntervalMs: number;
  readonly confirmations: number;
  readonly log: Logger;
};

/** The proposer as a process of its own, beside a node that it reads over JSON-RPC. */
export const startProposer = async (options: ProposerProcessOptions): Promise<RunningSender> => {
  const { dataDir, log, signer, confirmations } = options;
  const node = createL2Rpc(options.nodeUrl);
  const running = await startSender({ name: 'proposer', dataDir, log }, (db, metrics) =>
    Proposer.open({
      source: node,
      oracle: createOutputOracle({ url: options.l1Url, address: options.oracle }),
      l1: createL1RpcSender({ url: options.l1Url }),
      signer,
      l1ChainId: options.l1ChainId,
      db,
      log,
      metrics,
      allowNonFinalized: options.allowNonFinalized,
      pollIntervalMs: options.pollIntervalMs,
      transactions: { confirmations },
    }),
  );
  log.info({ from: signer.address, oracle: options.oracle }, 'proposer is up');
  return running;
};
