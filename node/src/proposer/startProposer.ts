import { mkdirSync } from 'node:fs';
import type { LevelDb } from '@openledger/event-log';
import { createLifecycle, createMetrics, describeError, type Logger } from '@openledger/kit';
import { ClassicLevel } from 'classic-level';
import type { Address, LocalAccount } from 'viem';
import { createL2Rpc } from '../follower/l2Rpc.ts';
import { createL1RpcSender } from '../l1/rpcL1Sender.ts';
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
export const startProposer = async (
  options: ProposerProcessOptions,
): Promise<{ readonly failed: Promise<Error>; close(): Promise<void> }> => {
  const { log, signer, confirmations } = options;
  const lifecycle = createLifecycle(log);
  mkdirSync(options.dataDir, { recursive: true });
  const level = new ClassicLevel<Uint8Array, Uint8Array>(options.dataDir, {
    keyEncoding: 'view',
    valueEncoding: 'view',
  });
  await level.open();
  lifecycle.add({ name: 'journal', close: () => level.close() });
  try {
    const node = createL2Rpc(options.nodeUrl);
    const proposer = await Proposer.open({
      source: { heads: () => node.heads(), blockByNumber: (number) => node.blockByNumber(number) },
      oracle: createOutputOracle({ url: options.l1Url, address: options.oracle }),
      l1: createL1RpcSender({ url: options.l1Url }),
      signer,
      l1ChainId: options.l1ChainId,
      db: level as unknown as LevelDb,
      log,
      metrics: createMetrics('openledger_proposer'),
      allowNonFinalized: options.allowNonFinalized,
      pollIntervalMs: options.pollIntervalMs,
      transactions: { confirmations },
    });
    const failed = new Promise<Error>((resolve) => {
      const running = proposer.run(lifecycle.signal).catch((error: Error) => {
        log.fatal({ err: error }, `the proposer stopped: ${describeError(error)}`);
        resolve(error);
      });
      lifecycle.add({ name: 'proposer', close: () => running });
    });
    log.info({ from: signer.address, oracle: options.oracle }, 'proposer is up');
    return { failed, close: lifecycle.close };
  } catch (error) {
    await lifecycle.close();
    throw error;
  }
};
