import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { runnerError } from '../errors.ts';
import { type ContentHash, ContentStore } from './contentStore.ts';

/**
 * A worker's store: what isn't on this machine comes from the runner, and what is made here goes there, checked by its hash on
 * either side.
 */
export class FleetStore extends ContentStore {
  readonly #origin: string;
  readonly #token: string;

  constructor(root: string, { url, token }: { url: string; token: string }) {
    super(root);
    this.#origin = url.replace(/\/$/, '');
    this.#token = token;
  }

  override async ensure(hash: ContentHash): Promise<void> {
    if (this.has(hash)) return;
    const response = await this.#fetch(hash, { method: 'GET' });
    if (!response.body) throw runnerError('FILE_UNKNOWN', `the runner has no file ${hash}`, { hash });
    await this.putStream(Readable.fromWeb(response.body as never), { expected: hash });
  }

  override async putFile(path: string): Promise<ContentHash> {
    const hash = await super.putFile(path);
    const size = await this.size(hash);
    await this.#fetch(hash, {
      method: 'PUT',
      headers: { 'content-type': 'application/octet-stream', 'content-length': String(size) },
      body: Readable.toWeb(createReadStream(this.path(hash))) as never,
      duplex: 'half',
    } as RequestInit);
    return hash;
  }

  async #fetch(hash: ContentHash, init: RequestInit): Promise<Response> {
    const headers = { ...(init.headers as Record<string, string>), authorization: `Bearer ${this.#token}` };
    const response = await fetch(`${this.#origin}/files/${hash}`, { ...init, headers }).catch((cause) => {
      throw runnerError('FLEET_UNREACHABLE', 'the runner’s file server does not answer', {}, cause);
    });
    if (response.ok) return response;
    await response.body?.cancel();
    if (response.status === 404) throw runnerError('FILE_UNKNOWN', `the runner has no file ${hash}`, { hash });
    throw runnerError('FLEET_UNREACHABLE', `the runner’s file server answered ${response.status}`);
  }
}
