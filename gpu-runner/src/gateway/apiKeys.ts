import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { runnerError } from '../errors.ts';
import type { RunnerDatabase } from '../queue/database.ts';

export type Quota = { readonly requestsPerMinute: number; readonly tokensPerDay: number };
export type ApiKey = Quota & {
  readonly id: string;
  readonly name: string;
  /** May load and unload adapters. */
  readonly operator: boolean;
  /** Tokens of the current UTC day. */
  readonly tokensToday: number;
  readonly createdAt: string;
  readonly revokedAt: string | null;
};

/** `release` ends a call: of the tokens it was admitted for, it used so many. */
export type Admission = { readonly id: string; release(usedTokens: number): Promise<void> };

type Row = {
  name: string;
  operator: boolean;
  secret_hash: Uint8Array;
  requests_per_minute: number;
  tokens_per_day: string;
};

const DAY_MS = 86_400_000;
const form = /^ol_([0-9a-f]{16})_([A-Za-z0-9_-]{43})$/;
const hashOf = (secret: string): Buffer => createHash('sha256').update(secret).digest();
const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

/**
 * Keys of clients that the operator trusts. A key is `ol_<id>_<secret>`; only the secret's sha256 is kept, which is enough for
 * 256 random bits. The tokens of a day are counted in the database before they are generated, so that neither parallel
 * calls nor a crash go over the quota; requests per minute are counted in memory (a bucket that refills evenly).
 */
export class ApiKeys {
  readonly #database: RunnerDatabase;
  readonly #now: () => number;
  readonly #buckets = new Map<string, { left: number; at: number }>();

  constructor(options: { database: RunnerDatabase; now(): number }) {
    this.#database = options.database;
    this.#now = options.now;
  }

  /** The key is told here once and never again. */
  async add(options: Quota & { name: string; operator?: boolean }): Promise<{ id: string; key: string }> {
    const id = randomBytes(8).toString('hex');
    const secret = randomBytes(32).toString('base64url');
    await this.#database.query(
      `INSERT INTO runner.api_keys (id, name, secret_hash, requests_per_minute, tokens_per_day, operator)
       VALUES ($1, $2, $3, $4, $5, $6)`,
      [id, options.name, hashOf(secret), options.requestsPerMinute, options.tokensPerDay, options.operator === true],
    );
    return { id, key: `ol_${id}_${secret}` };
  }

  async list(): Promise<ApiKey[]> {
    const { rows } = await this.#database.query<ApiKey & { tokensPerDay: string; tokensToday: string }>(
      `SELECT id, name, operator, requests_per_minute AS "requestsPerMinute", tokens_per_day::text AS "tokensPerDay",
              CASE WHEN day = $1::date THEN day_tokens ELSE 0 END::text AS "tokensToday",
              created_at::text AS "createdAt", revoked_at::text AS "revokedAt"
       FROM runner.api_keys ORDER BY created_at, id`,
      [dayOf(this.#now())],
    );
    return rows.map((row) => ({
      ...row,
      tokensPerDay: Number(row.tokensPerDay),
      tokensToday: Number(row.tokensToday),
    }));
  }

  /** Takes effect with the next request. Returns whether there was such a key that still worked. */
  async revoke(id: string): Promise<boolean> {
    const { rows } = await this.#database.query(
      'UPDATE runner.api_keys SET revoked_at = now() WHERE id = $1 AND revoked_at IS NULL RETURNING id',
      [id],
    );
    return rows.length === 1;
  }

  /** Lets a call in that uses at most `maxTokens`. @throws API_KEY_UNKNOWN, QUOTA_EXCEEDED */
  async admit(key: string, maxTokens: number): Promise<Admission> {
    const { id, row } = await this.#find(key);
    this.#takeRequest(id, row.requests_per_minute);
    const day = dayOf(this.#now());
    const { rows } = await this.#database.query(
      `UPDATE runner.api_keys SET day = $2::date, day_tokens = CASE WHEN day = $2::date THEN day_tokens ELSE 0 END + $3::bigint
       WHERE id = $1 AND CASE WHEN day = $2::date THEN day_tokens ELSE 0 END + $3::bigint <= tokens_per_day RETURNING id`,
      [id, day, maxTokens],
    );
    if (rows.length === 0) {
      throw exceeded(
        `up to ${maxTokens} tokens are more than are left of ${row.tokens_per_day} a day`,
        this.#untilTomorrow(),
      );
    }
    let open = true;
    return {
      id,
      release: async (usedTokens) => {
        if (!open) return;
        open = false;
        await this.#database.query(
          'UPDATE runner.api_keys SET day_tokens = day_tokens - $3::bigint WHERE id = $1 AND day = $2::date',
          [id, day, maxTokens - usedTokens],
        );
      },
    };
  }

  /** Whether this key's holder runs the machine. @throws API_KEY_UNKNOWN */
  async isOperator(key: string): Promise<boolean> {
    return (await this.#find(key)).row.operator;
  }

  async #find(key: string): Promise<{ id: string; row: Row }> {
    const [, id = '', secret = ''] = form.exec(key) ?? [];
    const { rows } = await this.#database.query<Row>(
      `SELECT name, operator, secret_hash, requests_per_minute, tokens_per_day::text AS tokens_per_day
       FROM runner.api_keys WHERE id = $1 AND revoked_at IS NULL`,
      [id],
    );
    const row = rows[0];
    // The comparison happens for an unknown id as well, so that its time tells nothing.
    const right = timingSafeEqual(hashOf(secret), row?.secret_hash ?? hashOf(`not ${secret}`));
    if (!row || !right) throw runnerError('API_KEY_UNKNOWN', 'the API key is unknown or revoked');
    return { id, row };
  }

  #takeRequest(id: string, perMinute: number): void {
    const now = this.#now();
    const bucket = this.#buckets.get(id) ?? { left: perMinute, at: now };
    const left = Math.min(perMinute, bucket.left + ((now - bucket.at) * perMinute) / 60_000);
    if (left < 1) {
      this.#buckets.set(id, { left, at: now });
      throw exceeded(`more than ${perMinute} requests a minute`, Math.ceil(((1 - left) * 60) / perMinute));
    }
    this.#buckets.set(id, { left: left - 1, at: now });
  }

  #untilTomorrow(): number {
    return Math.ceil((DAY_MS - (this.#now() % DAY_MS)) / 1000);
  }
}

/** @param retryAfter seconds */
const exceeded = (message: string, retryAfter: number) => runnerError('QUOTA_EXCEEDED', message, { retryAfter });
