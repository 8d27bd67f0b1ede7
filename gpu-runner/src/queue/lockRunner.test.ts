import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { payer, runner } from '../../test/support/chainEvents.ts';
import { hasPostgres, POSTGRES } from '../../test/support/postgres.ts';
import { openRunnerDatabase, type RunnerDatabase } from './database.ts';
import { lockKeyOf, lockRunner } from './lockRunner.ts';

describe.skipIf(!(await hasPostgres()))('the lock of a runner on a shared database', () => {
  const databases: RunnerDatabase[] = [];
  beforeAll(async () => {
    for (let i = 0; i < 2; i++) databases.push(await openRunnerDatabase({ dataDir: '', url: POSTGRES }));
  });
  afterAll(() => Promise.all(databases.map(({ close }) => close())));
  const lock = (index: number, account = runner, onLost: (error: Error) => void = () => {}) =>
    lockRunner(databases[index] as RunnerDatabase, account.address, onLost);

  it('lets one process at a time serve with a key', async () => {
    const unlock = await lock(0);
    await expect(lock(1)).rejects.toMatchObject({ code: 'ALREADY_RUNNING' });
    const other = await lock(1, payer);
    await unlock();
    await (await lock(1))();
    await other();
  });

  it('tells when it is lost, because then another process may have it', async () => {
    let lost = (_error: Error) => {};
    const losing = new Promise<Error>((resolve) => {
      lost = resolve;
    });
    const unlock = await lock(0, runner, (error) => lost(error));
    await databases[1]?.query(
      "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND pid <> pg_backend_pid() AND granted AND ((classid::bigint << 32) | objid::bigint) = $1",
      [lockKeyOf(runner.address).toString()],
    );
    expect(await losing).toBeInstanceOf(Error);
    await (await lock(1))();
    await unlock();
  });
});
