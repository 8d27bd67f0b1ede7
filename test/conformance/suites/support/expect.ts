import { deepStrictEqual } from 'node:assert';

/** @throws AssertionError that shows both sides */
export const expectEqual = (actual: unknown, expected: unknown, what: string): void => {
  deepStrictEqual({ [what]: actual }, { [what]: expected });
};

/** A twin that must be refused. @throws when `run` doesn't. */
export const expectRefused = async (run: () => unknown, what: string): Promise<void> => {
  let result: unknown;
  try {
    result = await run();
  } catch {
    return;
  }
  throw new Error(`${what} was accepted: ${JSON.stringify(result, (_key, v) => (typeof v === 'bigint' ? `${v}` : v))}`);
};

/** Hex with its prefix, as vectors have it or not. */
export const hex = (text: string): `0x${string}` => `0x${text.replace(/^0x/, '')}`;
