import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Longer than anybody waits with a paused training; what is wanted all the same starts from its beginning. */
const KEPT_MS = 30 * 24 * 3_600_000;

/** Removes checkpoints of trainings that nobody went on with: paid back, or done elsewhere meanwhile. `now` is unix milliseconds. */
export const sweepWork = async (workDir: string, now = Date.now()): Promise<void> => {
  for (const name of await readdir(workDir)) {
    const folder = join(workDir, name);
    if (now - (await lastChange(folder)) > KEPT_MS) await rm(folder, { recursive: true, force: true });
  }
};

/** Of anything in the folder: a checkpoint is replaced deep inside. */
const lastChange = async (folder: string): Promise<number> => {
  const inside = await readdir(folder, { recursive: true });
  const times = await Promise.all(
    ['.', ...inside].map((name) =>
      stat(join(folder, name)).then(
        ({ mtimeMs }) => mtimeMs,
        // Removed since it was listed: the folder is in use.
        () => Number.POSITIVE_INFINITY,
      ),
    ),
  );
  return Math.max(...times);
};
