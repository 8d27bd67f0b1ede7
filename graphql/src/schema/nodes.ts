import type { ReadRows } from '@openledger/indexer/views';
import { columnType, type Key, type TableName } from '../views.ts';
import type { Context } from './builder.ts';

const patterns: Readonly<Record<string, RegExp>> = {
  bigint: /^\d{1,15}$/,
  numeric: /^\d{1,78}$/,
  text: /^0x[0-9a-f]{40}([0-9a-f]{24})?$/,
};

/** A node's id is its table's key, joined by a slash; ids that can't be one lead nowhere. */
export const idOf = (...key: readonly (string | number)[]): string => key.join('/');

export const loadByKey =
  <T extends TableName>(table: T, ...columns: readonly (keyof ReadRows[T] & string)[]) =>
  async (id: string, { views }: Context): Promise<ReadRows[T] | null> => {
    const parts = id.split('/');
    if (parts.length !== columns.length) return null;
    const valid = columns.every((column, index) => patterns[columnType(table, column)]?.test(parts[index] ?? ''));
    if (!valid) return null;
    const key: Key = Object.fromEntries(columns.map((column, index) => [column, parts[index] ?? '']));
    return views.one(table, key);
  };
