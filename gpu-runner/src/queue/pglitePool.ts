import { EventEmitter } from 'node:events';
import type { PGlite } from '@electric-sql/pglite';

/** BullMQ's statements begin with what they are for. */
const LEADING_COMMENTS = /^(\s+|--[^\n]*\n)+/;

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

/**
 * Notifications for all clients of the one session. A channel is listened to once and for good: taking a subscription back while
 * another client makes its own would lose both.
 */
class Channels {
  readonly #db: PGlite;
  readonly #emitter = new EventEmitter().setMaxListeners(0);
  readonly #listening = new Map<string, Promise<unknown>>();

  constructor(db: PGlite) {
    this.#db = db;
  }

  async listen(channel: string, heard: (payload: string) => void): Promise<() => void> {
    const listening =
      this.#listening.get(channel) ?? this.#db.listen(channel, (payload) => this.#emitter.emit(channel, payload));
    this.#listening.set(channel, listening);
    await listening;
    this.#emitter.on(channel, heard);
    return () => this.#emitter.off(channel, heard);
  }
}

/** A checked-out client: holds the one session from BEGIN to COMMIT or ROLLBACK. */
class PgliteClient extends EventEmitter {
  readonly #db: PGlite;
  readonly #lock: Lock;
  readonly #channels: Channels;
  #release: (() => void) | undefined;
  #unlisten: (() => void)[] = [];

  constructor(db: PGlite, lock: Lock, channels: Channels) {
    super();
    this.#db = db;
    this.#lock = lock;
    this.#channels = channels;
  }

  async query(text: string, params?: readonly unknown[]): Promise<Rows> {
    const command = text.replace(LEADING_COMMENTS, '');
    const listen = /^LISTEN\s+"?([^";\s]+)"?/i.exec(command)?.[1];
    if (listen) {
      const heard = (payload: string) => this.emit('notification', { channel: listen, payload });
      this.#unlisten.push(await this.#channels.listen(listen, heard));
      return { rows: [], rowCount: 0 };
    }
    if (/^UNLISTEN/i.test(command)) {
      this.#stopListening();
      return { rows: [], rowCount: 0 };
    }
    if (/^BEGIN/i.test(command)) this.#release ??= await this.#lock.acquire();
    if (this.#release) {
      try {
        return await run(this.#db, text, params);
      } finally {
        if (/^(COMMIT|ROLLBACK\s*;?\s*$)/i.test(command)) this.#unlock();
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
    this.#stopListening();
  }

  #unlock(): void {
    this.#release?.();
    this.#release = undefined;
  }

  #stopListening(): void {
    for (const stop of this.#unlisten) stop();
    this.#unlisten = [];
  }
}

/**
 * The part of node-postgres' pool that BullMQ uses, over PGlite. PGlite is one session, so that transactions of different
 * clients have to be kept apart: a client holds the session from BEGIN to its end.
 */
export class PglitePool extends EventEmitter {
  readonly #db: PGlite;
  readonly #lock = new Lock();
  readonly #channels: Channels;
  readonly options = { keepAlive: true };

  constructor(db: PGlite) {
    super();
    this.setMaxListeners(0); // each queue and worker listens for errors
    this.#db = db;
    this.#channels = new Channels(db);
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
    return new PgliteClient(this.#db, this.#lock, this.#channels);
  }

  async end(): Promise<void> {
    await this.#db.close();
  }
}
