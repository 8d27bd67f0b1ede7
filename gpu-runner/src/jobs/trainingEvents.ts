import { describeError, type Logger } from '@openledger/kit';
import type { RunnerDatabase } from '../queue/database.ts';
import type { TrainingEvent } from './training.ts';

export type RecordedEvent = { readonly event: string; readonly step: number; readonly data: Record<string, unknown> };

type Listener = (event: RecordedEvent) => void;

/**
 * What trainings tell while they run, for whoever watches: in the database, and live. A run that goes on from a checkpoint
 * tells some steps again; they replace what was told before.
 */
export class TrainingEvents {
  readonly #database: RunnerDatabase;
  readonly #log: Logger;
  readonly #listeners = new Map<bigint, Set<Listener>>();
  #writing: Promise<unknown> = Promise.resolve();

  constructor({ database, log }: { database: RunnerDatabase; log: Logger }) {
    this.#database = database;
    this.#log = log;
  }

  record(jobId: bigint, { event, data }: TrainingEvent): void {
    const step = typeof data.step === 'number' ? data.step : 0;
    // A run has one of each warning, and steps of the rest.
    const kind = event === 'warning' ? `warning ${String(data.code)}` : event;
    this.#writing = this.#writing
      .then(() =>
        this.#database.query(
          `INSERT INTO runner.training_events (job_id, kind, step, data) VALUES ($1, $2, $3, $4)
           ON CONFLICT (job_id, kind, step) DO UPDATE SET data = excluded.data, at = now()`,
          [jobId.toString(), kind, step, JSON.stringify(data)],
        ),
      )
      .catch((error) => this.#log.warn({ reason: describeError(error) }, 'training event not recorded'));
    for (const listener of this.#listeners.get(jobId) ?? []) listener({ event, step, data });
  }

  /** In the order of their steps; a warning has step 0. */
  async list(jobId: bigint): Promise<RecordedEvent[]> {
    await this.#writing;
    const { rows } = await this.#database.query<{ kind: string; step: number; data: Record<string, unknown> }>(
      'SELECT kind, step, data FROM runner.training_events WHERE job_id = $1 ORDER BY step, kind',
      [jobId.toString()],
    );
    return rows.map(({ kind, step, data }) => ({ event: kind.split(' ', 1)[0] ?? kind, step, data }));
  }

  /** Returns what ends it. */
  listen(jobId: bigint, listener: Listener): () => void {
    const listeners = this.#listeners.get(jobId) ?? new Set();
    this.#listeners.set(jobId, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) this.#listeners.delete(jobId);
    };
  }

  /** Everything that was recorded is written. */
  async flush(): Promise<void> {
    await this.#writing;
  }
}
