/**
 * What the caller should do with an error:
 * - `retry`: the same call may succeed later (a peer is down, a lease is held);
 * - `reset`: our view is stale, rebuild it from the source of truth (L1 reorg, feed gap);
 * - `fatal`: stop the process, an operator has to act (wrong genesis, corrupt store);
 * - `reject`: the input is wrong and changes nothing.
 */
export type Handling = 'retry' | 'reset' | 'fatal' | 'reject';

export type ErrorMeta = Readonly<Record<string, string | number | bigint | boolean | null | undefined>>;

export type BaseErrorOptions = {
  /** Stable, UPPER_SNAKE; part of the public interface. */
  code: string;
  handling: Handling;
  meta?: ErrorMeta;
  /** What the reader should do next, one sentence. */
  action?: string;
  cause?: unknown;
};

/** The one error of this project: a stable code, how to handle it, named values, and what to do. */
export class OpenLedgerError extends Error {
  readonly code: string;
  readonly handling: Handling;
  readonly meta: ErrorMeta;
  readonly action: string | undefined;

  constructor(message: string, options: BaseErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'OpenLedgerError';
    this.code = options.code;
    this.handling = options.handling;
    this.meta = options.meta ?? {};
    this.action = options.action;
  }

  /** The first error in the cause chain that satisfies `match`, this one included. */
  walk(match: (error: unknown) => boolean): unknown {
    let current: unknown = this;
    while (current !== undefined && current !== null) {
      if (match(current)) return current;
      current = current instanceof Error ? current.cause : undefined;
    }
    return undefined;
  }

  /** One line for people: message, code, what to do. */
  describe(): string {
    return `${this.message} (${this.code})${this.action ? `. ${this.action}` : ''}`;
  }
}

export const isOpenLedgerError = (error: unknown, code?: string): error is OpenLedgerError =>
  error instanceof OpenLedgerError && (code === undefined || error.code === code);

/** How an arbitrary thrown value is handled: unknown errors are retried by loops that count their tries. */
export const handlingOf = (error: unknown): Handling => (error instanceof OpenLedgerError ? error.handling : 'retry');

export const describeError = (error: unknown): string => {
  if (error instanceof OpenLedgerError) return error.describe();
  return error instanceof Error ? error.message : String(error);
};
