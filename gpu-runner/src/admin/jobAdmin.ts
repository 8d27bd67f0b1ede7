import type { Task } from '../jobs/jobQueue.ts';
import type { DeadLetter, TaskQueue } from '../queue/taskQueue.ts';
import { askAdmin } from './adminClient.ts';
import { adminSocketPath } from './adminSocket.ts';
import type { AdminRoutes } from './serveAdmin.ts';

const PATH = '/dead-letters';

export const jobRoutes = (queue: Pick<TaskQueue<Task, void>, 'deadLetters'>): AdminRoutes => ({
  [PATH]: () => queue.deadLetters(),
});

/** What the running runner with this data directory has given up, and why. */
export const deadLettersOf = async (dataDir: string): Promise<DeadLetter<Task>[]> =>
  (await askAdmin(adminSocketPath(dataDir), PATH, {})) as DeadLetter<Task>[];
