import type { RunnerDatabase } from '../queue/database.ts';

/** Jobs whose requesters stopped them for a while; kept over restarts. */
export class PausedJobs {
  readonly #database: RunnerDatabase;

  constructor(database: RunnerDatabase) {
    this.#database = database;
  }

  async add(jobId: bigint): Promise<void> {
    await this.#database.query('INSERT INTO runner.paused_jobs (job_id) VALUES ($1) ON CONFLICT DO NOTHING', [
      jobId.toString(),
    ]);
  }

  async remove(jobId: bigint): Promise<void> {
    await this.#database.query('DELETE FROM runner.paused_jobs WHERE job_id = $1', [jobId.toString()]);
  }

  async has(jobId: bigint): Promise<boolean> {
    const { rows } = await this.#database.query('SELECT 1 FROM runner.paused_jobs WHERE job_id = $1', [
      jobId.toString(),
    ]);
    return rows.length > 0;
  }
}
