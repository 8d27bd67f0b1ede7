import { rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { askAdmin } from '../src/admin/adminClient.ts';
import { adminSocketPath, openAdminSocket } from '../src/admin/adminSocket.ts';
import { deadLettersOf, jobRoutes } from '../src/admin/jobAdmin.ts';
import { type KeyAdmin, keyRoutes, withKeyAdmin } from '../src/admin/keyAdmin.ts';
import { serveAdmin } from '../src/admin/serveAdmin.ts';
import { tempFolder } from './support/database.ts';

let dataDir: string;
beforeEach(() => {
  dataDir = tempFolder();
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

const options = { name: 'app', requestsPerMinute: 5, tokensPerDay: 6 };

describe('the admin socket', () => {
  it('lets one process at a time have a data directory', async () => {
    const first = await openAdminSocket(dataDir);
    await expect(openAdminSocket(dataDir)).rejects.toMatchObject({ code: 'ALREADY_RUNNING' });
    await first.close();
    const second = await openAdminSocket(dataDir);
    await second.close();
  });

  it('lets one of two through that start at the same time', async () => {
    const outcomes = await Promise.allSettled([openAdminSocket(dataDir), openAdminSocket(dataDir)]);
    const opened = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
    expect(opened).toHaveLength(1);
    await opened[0]?.close();
  });

  it('takes over what a crash left behind', async () => {
    writeFileSync(adminSocketPath(dataDir), '');
    const socket = await openAdminSocket(dataDir);
    await socket.close();
  });

  it('makes the data directory when there is none yet', async () => {
    const socket = await openAdminSocket(join(dataDir, 'new'));
    await socket.close();
  });

  it('opens for its user only', async () => {
    const socket = await openAdminSocket(dataDir);
    expect(statSync(adminSocketPath(dataDir)).mode & 0o077).toBe(0);
    await socket.close();
  });

  it('has a path that fits, however deep the directory is', () => {
    expect(Buffer.byteLength(adminSocketPath(join(dataDir, 'x'.repeat(200))))).toBeLessThan(104);
  });
});

describe('keys of an operator', () => {
  it('are made, listed and revoked in the database while no runner is up', async () => {
    const { id, key } = await withKeyAdmin({ dataDir }, (keys) => keys.add(options));
    expect(key).toMatch(new RegExp(`^ol_${id}_[A-Za-z0-9_-]{43}$`));
    expect(await withKeyAdmin({ dataDir }, (keys) => keys.list())).toEqual([
      { ...options, id, operator: false, tokensToday: 0, createdAt: expect.any(String), revokedAt: null },
    ]);
    expect(await withKeyAdmin({ dataDir }, (keys) => keys.revoke(id))).toBe(true);
    expect((await withKeyAdmin({ dataDir }, (keys) => keys.list()))[0]?.revokedAt).toEqual(expect.any(String));
  }, 60_000);

  it('are made through the runner while it is up', async () => {
    const asked: unknown[] = [];
    const keys: KeyAdmin = {
      add: async (key) => {
        asked.push(key);
        return { id: 'i', key: 'k' };
      },
      list: async () => [],
      revoke: async (id) => {
        throw new Error(`no ${id}`);
      },
    };
    const given = { task: { kind: 'train', id: '7' }, reason: 'no data', attempts: 3, at: 5 } as const;
    const socket = await openAdminSocket(dataDir);
    socket.serve(serveAdmin({ ...keyRoutes(keys), ...jobRoutes({ deadLetters: async () => [given] }) }));
    expect(await withKeyAdmin({ dataDir }, (admin) => admin.add(options))).toEqual({ id: 'i', key: 'k' });
    expect(asked).toEqual([options]);
    expect(await withKeyAdmin({ dataDir }, (admin) => admin.list())).toEqual([]);
    await expect(withKeyAdmin({ dataDir }, (admin) => admin.revoke('x'))).rejects.toThrow('no x');
    expect(await deadLettersOf(dataDir)).toEqual([given]);
    await expect(askAdmin(adminSocketPath(dataDir), '/other', {})).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
    await socket.close();
    await expect(deadLettersOf(dataDir)).rejects.toThrow();
  });
});
