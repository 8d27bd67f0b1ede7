import type { LevelDb } from '@openledger/event-log';
import {
  createLifecycle,
  createMetrics,
  describeError,
  handlingOf,
  type Logger,
  type Metrics,
  type OpenLedgerError,
  sleep,
} from '@openledger/kit';
import { openLevelDb } from '../state/openLevelDb.ts';

/** What batcher and proposer have in common: they send to L1 turn by turn. */
export type Sender = {
  /** One turn; `waiting` is why nothing more can be sent for now. */
  step(): Promise<{ readonly waiting?: OpenLedgerError }>;
};

/** Steps until the signal aborts, telling once why it waits. A fatal error ends it by rejecting. */
export const runSender = async (
  sender: Sender,
  options: { readonly name: string; readonly pollIntervalMs: number; readonly log: Logger },
  signal: AbortSignal,
): Promise<void> => {
  const { name, pollIntervalMs, log } = options;
  let told: string | undefined;
  while (!signal.aborted) {
    try {
      const { waiting } = await sender.step();
      if (waiting && waiting.code !== told)
        log.warn({ code: waiting.code }, `the ${name} waits: ${waiting.describe()}`);
      told = waiting?.code;
    } catch (error) {
      if (handlingOf(error) === 'fatal') throw error;
      log.warn({ reason: describeError(error) }, `${name}: trying again`);
    }
    await sleep(pollIntervalMs, signal);
  }
};

export type RunningSender = {
  /** Resolves on a fatal error, which it carries. */
  readonly failed: Promise<Error>;
  close(): Promise<void>;
};

/** A sender as a process of its own, with its journal in `dataDir`. */
export const startSender = async (
  { name, dataDir, log }: { readonly name: string; readonly dataDir: string; readonly log: Logger },
  open: (db: LevelDb, metrics: Metrics) => Promise<{ run(signal: AbortSignal): Promise<void> }>,
): Promise<RunningSender> => {
  const lifecycle = createLifecycle(log);
  const db = await openLevelDb(dataDir);
  lifecycle.add({ name: 'journal', close: () => db.close() });
  try {
    const sender = await open(db, createMetrics(`openledger_${name}`));
    const failed = new Promise<Error>((resolve) => {
      const running = sender.run(lifecycle.signal).catch((error: Error) => {
        log.fatal({ err: error }, `the ${name} stopped: ${describeError(error)}`);
        resolve(error);
      });
      lifecycle.add({ name, close: () => running });
    });
    return { failed, close: lifecycle.close };
  } catch (error) {
    await lifecycle.close();
    throw error;
  }
};
