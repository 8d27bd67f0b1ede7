import { basename } from 'node:path';
import type { Hex } from 'viem';

/** A byte string in a unit test of another client, and where it stands. */
export type Literal = {
  readonly file: string;
  readonly line: number;
  readonly in_fn: string | null;
  readonly const: string | null;
  readonly context: string;
  readonly bytes: number;
  readonly hex: Hex;
};

export type Harvest = { readonly repo: string; readonly items: readonly Literal[] };

/**
 * Tells what a literal is from its shape and the words around it, and gives the check; undefined when it is something else.
 * `siblings` are the literals of the same function, itself included.
 */
export type Rule = (literal: Literal, siblings: readonly Literal[]) => (() => void | Promise<void>) | undefined;

/** The words around a literal, in lowercase with underscores. */
export const wordsOf = ({ file, in_fn, const: name }: Literal): string =>
  [basename(file).replace(/\.\w+$/, ''), in_fn, name].filter(Boolean).join('_').toLowerCase();

/** Whether the test that has it says that it is to be refused. */
export const mustFail = ({ in_fn }: Literal): boolean =>
  /invalid|error|fail|too_short|overflow/.test(in_fn ?? '') && !/succeeds/.test(in_fn ?? '');
