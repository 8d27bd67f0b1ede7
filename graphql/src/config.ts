import { type ConfigTable, parseInteger, parseText } from '@openledger/kit';

/** What one client may ask for. */
export type GraphqlLimits = {
  /** Levels of selection sets. */
  depth: number;
  aliases: number;
  tokens: number;
  directives: number;
  /** Fields that an answer may hold at most, by `first` and `last` of the lists in it. */
  complexity: number;
  bodyBytes: number;
  /** The database ends a statement after this long; the embedded one has no such clock. */
  statementTimeoutMs: number;
  /** For a query as a whole. */
  requestTimeoutMs: number;
  /** At a time, on one WebSocket. */
  subscriptionsPerSocket: number;
  sockets: number;
  /** Log entries that the views may be behind while the server still calls itself ready. */
  lagEntries: number;
  /** Without a sign of life from the indexer for this long, the views are stale. */
  indexerSilenceMs: number;
};

export const defaultLimits: GraphqlLimits = {
  depth: 16,
  aliases: 30,
  tokens: 2_000,
  directives: 20,
  complexity: 20_000,
  bodyBytes: 64 * 1024,
  statementTimeoutMs: 5_000,
  requestTimeoutMs: 15_000,
  subscriptionsPerSocket: 20,
  sockets: 1_000,
  lagEntries: 60,
  indexerSilenceMs: 15_000,
};

export const graphqlConfig = {
  host: { flag: 'graphql.addr', description: 'address to listen on', parse: parseText, default: '127.0.0.1' },
  port: { flag: 'graphql.port', description: 'port to listen on', parse: parseInteger(0, 65_535), default: 8_080 },
  corsOrigins: {
    flag: 'graphql.corsdomain',
    description: 'comma-separated origins whose pages may read the API, * for all; none by default',
    parse: (text: string): string[] => text.split(',').filter((origin) => origin !== ''),
    default: [] as string[],
  },
  complexity: {
    flag: 'graphql.complexity',
    description: 'fields that an answer may hold at most',
    parse: parseInteger(1),
    default: defaultLimits.complexity,
  },
  statementTimeoutMs: {
    flag: 'graphql.statement-timeout',
    description: 'milliseconds that a database statement may take',
    parse: parseInteger(1),
    default: defaultLimits.statementTimeoutMs,
  },
  requestTimeoutMs: {
    flag: 'graphql.request-timeout',
    description: 'milliseconds that a query may take',
    parse: parseInteger(1),
    default: defaultLimits.requestTimeoutMs,
  },
  lagEntries: {
    flag: 'graphql.max-lag',
    description: 'log entries that the views may be behind while /readyz says 200',
    parse: parseInteger(0),
    default: defaultLimits.lagEntries,
  },
} satisfies ConfigTable;
