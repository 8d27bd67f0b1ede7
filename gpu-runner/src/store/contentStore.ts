import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream, existsSync } from 'node:fs';
import { copyFile, mkdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { runnerError } from '../errors.ts';

/** sha256 as 64 lowercase hex digits, without 0x. */
export type ContentHash = string;

export const sha256Of = (bytes: Uint8Array): ContentHash => createHash('sha256').update(bytes).digest('hex');

export const hashFile = async (path: string): Promise<ContentHash> => {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
};

/**
 * Files by the sha256 of their bytes. A file is written under a random name, synced, then renamed: it is there whole or not
 * at all, and its name never comes from a stranger.
 */
export class ContentStore {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  path(hash: ContentHash): string {
    if (!/^[0-9a-f]{64}$/.test(hash)) throw runnerError('FILE_UNKNOWN', 'not a sha256 hash');
    return join(this.#root, hash.slice(0, 2), hash);
  }

  has(hash: ContentHash): boolean {
    return existsSync(this.path(hash));
  }

  async put(bytes: Uint8Array): Promise<ContentHash> {
    const hash = sha256Of(bytes);
    if (this.has(hash)) return hash;
    return this.putStream([bytes]);
  }

  /** A file of any size, without holding it in memory. */
  async putFile(path: string): Promise<ContentHash> {
    const hash = await hashFile(path);
    return this.has(hash) ? hash : this.putStream(createReadStream(path), { expected: hash });
  }

  /** @throws FILE_HASH_MISMATCH when the bytes aren't those that were expected; FILE_TOO_LARGE. Then nothing is kept. */
  async putStream(
    source: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
    { expected, maxBytes = Number.POSITIVE_INFINITY }: { expected?: ContentHash; maxBytes?: number } = {},
  ): Promise<ContentHash> {
    await mkdir(this.#root, { recursive: true });
    const temporary = join(this.#root, `.${randomUUID()}`);
    const digest = createHash('sha256');
    let size = 0;
    const measure = new Transform({
      transform: (chunk: Uint8Array, _encoding, done) => {
        size += chunk.length;
        if (size > maxBytes) return done(runnerError('FILE_TOO_LARGE', `the file has more than ${maxBytes} bytes`));
        digest.update(chunk);
        done(null, chunk);
      },
    });
    try {
      await pipeline(source, measure, createWriteStream(temporary, { flags: 'wx', mode: 0o600, flush: true }));
      const hash = digest.digest('hex');
      if (expected !== undefined && hash !== expected) {
        throw runnerError('FILE_HASH_MISMATCH', `the bytes have sha256 ${hash}`, { hash: expected });
      }
      const target = this.path(hash);
      await mkdir(join(target, '..'), { recursive: true });
      await rename(temporary, target);
      return hash;
    } finally {
      await rm(temporary, { force: true });
    }
  }

  /** Makes sure that the file is here. @throws FILE_UNKNOWN */
  async ensure(hash: ContentHash): Promise<void> {
    if (!this.has(hash)) throw runnerError('FILE_UNKNOWN', `no file ${hash}`, { hash });
  }

  /** @throws FILE_UNKNOWN; FILE_HASH_MISMATCH when the disk has other bytes than it was given */
  async get(hash: ContentHash): Promise<Uint8Array> {
    if (!this.has(hash)) throw runnerError('FILE_UNKNOWN', `no file ${hash}`, { hash });
    const bytes = await readFile(this.path(hash));
    if (sha256Of(bytes) !== hash) throw runnerError('FILE_HASH_MISMATCH', `file ${hash} is damaged`, { hash });
    return bytes;
  }

  async size(hash: ContentHash): Promise<number> {
    return (await stat(this.path(hash))).size;
  }

  /** A copy under a name with an extension, for tools that look at names. */
  async copyTo(hash: ContentHash, target: string): Promise<void> {
    await copyFile(this.path(hash), target);
  }
}
