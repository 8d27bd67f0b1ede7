import { deepStrictEqual } from 'node:assert';

export type Exchange = { readonly request: unknown; readonly answer: Record<string, unknown> };

/** An .io file: comments, then pairs of `>>` request and `<<` answer. */
export const readExchanges = (text: string): { exchanges: Exchange[]; shapeOnly: boolean } => {
  const exchanges: Exchange[] = [];
  let request: unknown;
  for (const line of text.split('\n')) {
    if (line.startsWith('>>')) request = JSON.parse(line.slice(2));
    if (line.startsWith('<<')) exchanges.push({ request, answer: JSON.parse(line.slice(2)) });
  }
  return { exchanges, shapeOnly: /^\/\/ speconly/m.test(text) };
};

/**
 * An answer agrees when its result is equal, or when both are errors with the same code and, unless only the shape counts,
 * the same message and data.
 */
export const compareAnswer = (given: unknown, wanted: Record<string, unknown>, shapeOnly: boolean): void => {
  const ours = given as Record<string, unknown>;
  if (!shapeOnly) {
    deepStrictEqual(ours, wanted);
    return;
  }
  deepStrictEqual(Object.keys(ours).sort(), Object.keys(wanted).sort());
  if ('result' in wanted) deepStrictEqual(shapeOf(ours.result), shapeOf(wanted.result));
};

/** The kinds of values by name; lists have the shape of their first element, hex is hex of any length. */
const shapeOf = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.length === 0 ? 'list' : [shapeOf(value[0])];
  if (value === null || typeof value !== 'object')
    return typeof value === 'string' && value.startsWith('0x') ? 'hex' : typeof value;
  const entries = Object.entries(value);
  const isTable = entries.length > 0 && entries.every(([key]) => /^(0x[0-9a-fA-F]+|\d+)$/.test(key));
  if (isTable) return 'table';
  return Object.fromEntries(entries.map(([key, item]) => [key, shapeOf(item)]).sort());
};
