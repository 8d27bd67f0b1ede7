import { OpenLedgerError } from './errors.ts';

/** One row of a config table: flag, environment variable, documentation and parser come from the same place. */
export type ConfigField<T> = {
  /** The flag without dashes, e.g. `l1.rpc`; the variable is the prefix plus its upper snake form. */
  flag: string;
  description: string;
  parse(text: string): T;
  /** Absent: the option is required. */
  default?: T;
  /** Values that must never be printed. */
  secret?: boolean;
};

// biome-ignore lint/suspicious/noExplicitAny: the table is heterogeneous; each field keeps its own type through ConfigOf.
export type ConfigTable = Record<string, ConfigField<any>>;
export type ConfigOf<T extends ConfigTable> = { [K in keyof T]: T[K] extends ConfigField<infer V> ? V : never };

export const envName = (prefix: string, flag: string): string =>
  `${prefix}_${flag.replace(/[.-]/g, '_').toUpperCase()}`;

/** Reads flags first, then environment, then defaults. Throws CONFIG_INVALID naming the option and what it takes. */
export const readConfig = <T extends ConfigTable>(
  table: T,
  source: { prefix: string; flags: Record<string, string | undefined>; env: Record<string, string | undefined> },
): ConfigOf<T> => {
  const known = new Set(Object.values(table).map((field) => field.flag));
  for (const flag of Object.keys(source.flags)) {
    if (!known.has(flag)) {
      throw new OpenLedgerError(`unknown option --${flag}`, {
        code: 'CONFIG_INVALID',
        handling: 'fatal',
        action: 'Run with --help to see the options.',
      });
    }
  }
  const entries = Object.entries(table).map(([key, field]) => {
    const variable = envName(source.prefix, field.flag);
    const text = source.flags[field.flag] ?? source.env[variable];
    if (text === undefined) {
      if ('default' in field) return [key, field.default];
      throw new OpenLedgerError(`missing option --${field.flag} (or ${variable})`, {
        code: 'CONFIG_INVALID',
        handling: 'fatal',
        action: field.description,
      });
    }
    try {
      return [key, field.parse(text)];
    } catch (cause) {
      throw new OpenLedgerError(`bad value for --${field.flag}: ${cause instanceof Error ? cause.message : cause}`, {
        code: 'CONFIG_INVALID',
        handling: 'fatal',
        action: field.description,
        cause,
      });
    }
  });
  return Object.fromEntries(entries) as ConfigOf<T>;
};

/** Help text of a table, one option a line. */
export const describeConfig = (table: ConfigTable, prefix: string): string =>
  Object.values(table)
    .map((field) => {
      const fallback = 'default' in field && !field.secret ? ` [${String(field.default)}]` : '';
      return `  --${field.flag.padEnd(26)} ${field.description}${fallback} (${envName(prefix, field.flag)})`;
    })
    .join('\n');

const invalid = (message: string): never => {
  throw new TypeError(message);
};

export const parseText = (text: string): string => text;
export const parseInteger =
  (min: number, max = Number.MAX_SAFE_INTEGER) =>
  (text: string): number => {
    const value = /^-?\d+$/.test(text) ? Number(text) : Number.NaN;
    return Number.isSafeInteger(value) && value >= min && value <= max
      ? value
      : invalid(`expected an integer from ${min} to ${max}`);
  };
export const parseUrl = (text: string): string =>
  URL.canParse(text) ? text : invalid('expected a URL such as http://127.0.0.1:8545');
export const parseBoolean = (text: string): boolean =>
  text === 'true' || text === '1' ? true : text === 'false' || text === '0' ? false : invalid('expected true or false');
export const parseHex =
  (bytes: number) =>
  (text: string): `0x${string}` =>
    new RegExp(`^0x[0-9a-fA-F]{${bytes * 2}}$`).test(text)
      ? (text as `0x${string}`)
      : invalid(`expected 0x and ${bytes * 2} hex digits`);
