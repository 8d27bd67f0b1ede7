import type { Metrics } from '@openledger/kit';

export type GraphqlMetrics = {
  /** Call at the start; the result takes the error codes at the end. */
  operation(kind: 'query' | 'subscription'): (errorCodes: readonly string[]) => void;
  sockets(change: 1 | -1): void;
};

export const createGraphqlMetrics = (metrics: Metrics | undefined): GraphqlMetrics => {
  if (!metrics) return { operation: () => () => undefined, sockets: () => undefined };
  const duration = metrics.histogram('graphql_seconds', 'Time to answer a query');
  const operations = metrics.counter('graphql_operations_total', 'Operations by kind', ['kind']);
  const errors = metrics.counter('graphql_errors_total', 'Errors in answers by code', ['code']);
  const sockets = metrics.gauge('graphql_sockets', 'Open WebSockets');
  return {
    operation: (kind) => {
      operations.inc({ kind });
      const stop = duration.startTimer();
      return (codes) => {
        if (kind === 'query') stop();
        for (const code of codes) errors.inc({ code });
      };
    },
    sockets: (change) => sockets.inc(change),
  };
};
