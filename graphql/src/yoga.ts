import type { Database } from '@openledger/indexer/views';
import type { Logger } from '@openledger/kit';
import { createYoga, type Plugin } from 'graphql-yoga';
import type { GraphqlLimits } from './config.ts';
import { documentLimits } from './limits/documentLimits.ts';
import { createMaskError } from './limits/maskError.ts';
import type { LiveProvisional } from './liveProvisional.ts';
import type { LiveViews } from './liveViews.ts';
import type { GraphqlMetrics } from './metrics.ts';
import type { Context } from './schema/builder.ts';
import { schema } from './schema/schema.ts';
import { createViews } from './views.ts';

export type YogaOptions = {
  /** Read-only. */
  database: Database;
  live: LiveViews;
  provisional: LiveProvisional | undefined;
  limits: GraphqlLimits;
  corsOrigins: readonly string[];
  chainName: string;
  log: Logger;
  metrics: GraphqlMetrics;
};

/** A query has a deadline; a subscription lives on, and each of its statements has its own timeout. */
const deadlinePlugin = (requestTimeoutMs: number): Plugin<Context> => ({
  onExecute: ({ args }) => {
    args.contextValue.deadline = Date.now() + requestTimeoutMs;
  },
});

const metricsPlugin = (metrics: GraphqlMetrics): Plugin => ({
  onExecute: () => {
    const done = metrics.operation('query');
    return {
      onExecuteDone: ({ result }) => {
        done('errors' in result && result.errors ? result.errors.map(({ extensions }) => String(extensions.code)) : []);
      },
    };
  },
  onSubscribe: () => metrics.operation('subscription')([]),
});

export const createGraphqlYoga = (options: YogaOptions) => {
  const { database, live, provisional, limits, corsOrigins } = options;
  return createYoga<object, Context>({
    schema,
    context: (): Context => {
      const context: Context = {
        live,
        provisional,
        maxComplexity: limits.complexity,
        views: createViews(database, () => context.deadline),
      };
      return context;
    },
    graphqlEndpoint: '/graphql',
    landingPage: false,
    graphiql: { title: `${options.chainName} explorer`, subscriptionsProtocol: 'WS' },
    // Without cookies a foreign page can do no more than anybody; still no page may read the answers unless allowed.
    cors: corsOrigins.length === 0 ? false : { origin: [...corsOrigins], methods: ['GET', 'POST'], credentials: false },
    batching: false,
    multipart: false,
    maskedErrors: { maskError: createMaskError(options.log) },
    plugins: [deadlinePlugin(limits.requestTimeoutMs), metricsPlugin(options.metrics), ...documentLimits(limits)],
    logging: false,
  });
};

export type GraphqlYoga = ReturnType<typeof createGraphqlYoga>;
