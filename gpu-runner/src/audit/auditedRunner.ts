import { json } from 'node:stream/consumers';
import { signAuditAccess } from '@openledger/client';
import type { Account, Hex } from 'viem';
import { runnerError } from '../errors.ts';
import type { ContentHash, ContentStore } from '../store/contentStore.ts';
import { guardedFetch, limited } from './guardedFetch.ts';

export type AuditedRunnerOptions = {
  /** As it announced it. */
  readonly endpoint: string;
  readonly outputId: Hex;
  readonly account: Account;
  readonly chainId: number;
  readonly allowPrivate: boolean;
  /** The chain's time, unix milliseconds. */
  now(): number;
  readonly signal?: AbortSignal;
};

const LIFETIME_SECONDS = 600;
const MAX_TRANSCRIPT_BYTES = 4 * 1024 * 1024;
/** An adapter's weights; contributions are far smaller. */
const MAX_FILE_BYTES = 4 * 1024 ** 3;

/** What a check needs of the audited runner. */
export type TranscriptSource = Pick<AuditedRunner, 'transcript' | 'fetchInto'>;

/** The runner whose output is audited, as its auditor sees it: it shows a transcript and files to whoever audits. */
export class AuditedRunner {
  readonly #options: AuditedRunnerOptions;

  constructor(options: AuditedRunnerOptions) {
    this.#options = options;
  }

  /** @throws PEER_UNREACHABLE, PEER_REFUSED */
  async transcript(): Promise<unknown> {
    const response = await this.#get('');
    return json(limited(response, MAX_TRANSCRIPT_BYTES)).catch((cause) => {
      throw runnerError('PEER_REFUSED', 'its transcript can not be read', {}, cause);
    });
  }

  /** Gets the files that aren't here. @throws PEER_UNREACHABLE, PEER_REFUSED, FILE_HASH_MISMATCH */
  async fetchInto(store: ContentStore, hashes: readonly ContentHash[]): Promise<void> {
    for (const hash of hashes) {
      if (store.has(hash)) continue;
      const response = await this.#get(`/files/${hash}`);
      await store.putStream(response, { expected: hash, maxBytes: MAX_FILE_BYTES });
    }
  }

  async #get(path: string) {
    const { endpoint, outputId, account, chainId, allowPrivate, now, signal } = this.#options;
    const deadline = BigInt(Math.floor(now() / 1000) + LIFETIME_SECONDS);
    const { signature } = await signAuditAccess(account, chainId, { outputId, deadline });
    return guardedFetch(`${endpoint.replace(/\/+$/, '')}/v1/audits/${outputId}${path}`, {
      headers: { 'x-audit-deadline': deadline.toString(), 'x-audit-signature': signature },
      allowPrivate,
      ...(signal ? { signal } : {}),
    });
  }
}
