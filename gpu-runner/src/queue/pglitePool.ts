import { EventEmitter } from 'node:events';
import type { PGlite } from '@electric-sql/pglite';

type Rows = { rows: unknown[]; rowCount: number };

/** Grants one holder at a time, in order of asking. */
class Lock {
  #tail: Promise<void> = Promise.resolve();

  async acquire(): Promise<() => void> {
    let release = () => {};
    const previous = this.#tail;
    this.#tail = new Promise((resolve) => {
      release = resolve;
    });
    await previous;
    return release;
  }
}

const run = async (db: PGlite, text: string, params: readonly unknown[] = []): Promise<Rows> => {
  if (params.length === 0) {
    // Without parameters node-postgres allows several statements at once; so does exec.
    const results = await db.exec(text);
    const last = results.at(-1);
    return { rows: last?.rows ?? [], rowCount: last?.affectedRows || (last?.rows.length ?? 0) };
  }
  const result = await db.query(text, [...params]);
  return { rows: result.rows, rowCount: result.affectedRows || result.rows.length };
};

/** A checked-out client: holds the one session from BEGIN to COMMIT or ROLLBACK. */
class PgliteClient extends EventEmitter {
  readonly #db: PGlite;
  readonly #lock: Lock;
  #release: (() => void) | undefined;
  #unlisten: (() => Promise<void>)[] = [];

  constructor(db: PGlite, lock: Lock) {
    super();
    this.#db = db;
    this.#lock = lock;
  }

  async query(text: string, params?: readonly unknown[]): Promise<Rows> {
    const listen = /^\s*LISTEN\s+"?([^";\s]+)"?/i.exec(text)?.[1];
    if (listen) {
      this.#unlisten.push(
        await this.#db.listen(listen, (payload) => this.emit('notification', { channel: listen, payload })),
      );
      return { rows: [], rowCount: 0 };
    }
    if (/^\s*UNLISTEN/i.test(text)) {
      await this.#stopListening();
      return { rows: [], rowCount: 0 };
    }
    if (/^\s*BEGIN/i.test(text)) this.#release ??= await this.#lock.acquire();
    if (this.#release) {
      try {
        return await run(this.#db, text, params);
      } finally {
        if (/^\s*(COMMIT|ROLLBACK\s*;?\s*$)/i.test(text)) this.#unlock();
      }
    }
    const release = await this.#lock.acquire();
    try {
      return await run(this.#db, text, params);
    } finally {
      release();
    }
  }

  release(): void {
    this.#unlock();
    void this.#stopListening();
  }

  #unlock(): void {
    this.#release?.();
    this.#release = undefined;
  }

  async #stopListening(): Promise<void> {
    const stops = this.#unlisten;
    this.#unlisten = [];
    for (const stop of stops) await stop();
  }
}

/**
 * The part of node-postgres' pool that BullMQ uses, over PGlite. PGlite is one session, so that transactions of different
 * clients have to be kept apart: a client holds the session from BEGIN to its end.
 */
export class PglitePool extends EventEmitter {
  readonly #db: PGlite;
  readonly #lock = new Lock();
  readonly options = { keepAlive: true };

  constructor(db: PGlite) {
    super();
    this.#db = db;
  }

  async query(text: string, params?: readonly unknown[]): Promise<Rows> {
    const release = await this.#lock.acquire();
    try {
      return await run(this.#db, text, params);
    } finally {
      release();
    }
  }

  async connect(): Promise<PgliteClient> {
    return new PgliteClient(this.#db, this.#lock);
  }

  async end(): Promise<void> {
    await this.#db.close();
  }
}
