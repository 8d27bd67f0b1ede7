import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Database } from '../src/database/database.ts';
import { migrate } from '../src/migrate.ts';
import { project, TestChain, testDatabases } from './support/index.ts';

const address = (digit: string) => `0x${digit.repeat(40)}` as const;
const outputId = `0x${'ab'.repeat(32)}` as const;
const [runner, auditor] = [address('1'), address('2')];
const [juror0, juror1, juror2] = [address('3'), address('4'), address('5')];
const seed = `0x${'cd'.repeat(32)}` as const;

describe.each(testDatabases)('audits on $name', ({ open }) => {
  let database: Database;
  let chain: TestChain;
  beforeEach(async () => {
    [database, chain] = [await open(), await TestChain.open(1)];
    await migrate(database);
    await chain.mine(0);
  });
  afterEach(() => database.close());

  const audit = async () => {
    await project(chain.log, database);
    const [row] = await database.query('SELECT status, finding, detail, deadline FROM audits');
    const votes = await database.query('SELECT juror, finding, detail FROM audit_votes ORDER BY juror');
    return { row, votes };
  };
  const opened = () =>
    chain.mineEvents([
      {
        type: 'AuditOpened',
        args: { outputId, runner, auditor, modelId: 3n, batchIndex: 4n, sourceKind: 2, deadline: 600n, seed },
      },
    ]);
  const reported = () =>
    chain.mineEvents([
      { type: 'AuditReported', args: { outputId, auditor, finding: 2, detail: 'token 3' } },
      { type: 'AuditContested', args: { outputId, juror0, juror1, juror2, deadline: 900n } },
    ]);
  const voted = (juror: `0x${string}`) =>
    chain.mineEvents([{ type: 'AuditVoted', args: { outputId, juror, finding: 3, detail: 'gone' } }]);

  it('show each step, and take it back', async () => {
    expect(await audit()).toEqual({ row: undefined, votes: [] });
    await opened();
    const open = { status: 'open', finding: null, detail: null, deadline: '600' };
    expect(await audit()).toEqual({ row: open, votes: [] });
    await reported();
    const contested = { status: 'contested', finding: 'differs', detail: 'token 3', deadline: '900' };
    const waiting = [juror0, juror1, juror2].map((juror) => ({ juror, finding: null, detail: null }));
    expect(await audit()).toEqual({ row: contested, votes: waiting });
    await voted(juror1);
    const votes = waiting.map((row) =>
      row.juror === juror1 ? { ...row, finding: 'unavailable', detail: 'gone' } : row,
    );
    expect(await audit()).toEqual({ row: contested, votes });
    await chain.mineEvents([{ type: 'AuditClosed', args: { outputId, runner, outcome: 4 } }]);
    expect(await audit()).toEqual({ row: { ...contested, status: 'faulted' }, votes });

    await chain.reorg(2);
    await chain.mine(0);
    expect(await audit()).toEqual({ row: contested, votes: waiting });
    await chain.reorg(2);
    await chain.mine(0);
    expect(await audit()).toEqual({ row: open, votes: [] });
    await chain.reorg(2);
    await chain.mine(0);
    expect(await audit()).toEqual({ row: undefined, votes: [] });
  });

  it('come out the same from one batch as from many', async () => {
    await opened();
    await reported();
    await voted(juror0);
    const { row, votes } = await audit();
    expect(row).toMatchObject({ status: 'contested', deadline: '900' });
    expect(votes[0]).toEqual({ juror: juror0, finding: 'unavailable', detail: 'gone' });
  });

  it('know where a runner is reached, until it takes that back', async () => {
    const endpoint = async () => {
      await project(chain.log, database);
      return (await database.query('SELECT endpoint, bond FROM runners'))[0];
    };
    await chain.mineEvents([{ type: 'BondChanged', args: { runner, bond: 7n } }]);
    expect(await endpoint()).toEqual({ endpoint: null, bond: '7' });
    await chain.mineEvents([{ type: 'EndpointAnnounced', args: { runner, endpoint: 'https://runner.example' } }]);
    expect(await endpoint()).toEqual({ endpoint: 'https://runner.example', bond: '7' });
    await chain.mineEvents([{ type: 'EndpointAnnounced', args: { runner, endpoint: '' } }]);
    expect(await endpoint()).toEqual({ endpoint: null, bond: '7' });
  });
});
