import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ContentStore, sha256Of } from './contentStore.ts';

describe('ContentStore', () => {
  let root: string;
  let store: ContentStore;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'openledger-store-'));
    store = new ContentStore(root);
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  it('gives back what was put, under its sha256', async () => {
    const bytes = Buffer.from('some text');
    const hash = await store.put(bytes);
    expect(hash).toBe(sha256Of(bytes));
    expect(Buffer.from(await store.get(hash)).toString()).toBe('some text');
    expect(await store.size(hash)).toBe(9);
  });

  it('leaves no temporary file behind and takes the same bytes twice', async () => {
    const first = await store.put(Buffer.from('same'));
    expect(await store.put(Buffer.from('same'))).toBe(first);
    expect(readdirSync(root).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  it('refuses names that are not hashes', async () => {
    for (const name of ['../etc/passwd', '', 'A'.repeat(64), `${'0'.repeat(63)}/`, '0'.repeat(65)]) {
      expect(() => store.has(name), name).toThrow(expect.objectContaining({ code: 'FILE_UNKNOWN' }));
    }
    await expect(store.get('0'.repeat(64))).rejects.toMatchObject({ code: 'FILE_UNKNOWN' });
  });

  it('tells a file that was damaged on disk', async () => {
    const hash = await store.put(Buffer.from('good'));
    writeFileSync(store.path(hash), 'evil');
    await expect(store.get(hash)).rejects.toMatchObject({ code: 'FILE_HASH_MISMATCH' });
  });
});
