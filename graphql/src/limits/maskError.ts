import { isOpenLedgerError, type Logger } from '@openledger/kit';
import { GraphQLError } from '../graphqlJs.ts';

/** The first error below GraphQL's own wrapping. */
const causeOf = (error: unknown): unknown =>
  error instanceof GraphQLError && error.originalError ? causeOf(error.originalError) : error;

/** PostgreSQL's code for a statement that was ended by its timeout. */
const isStatementTimeout = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === '57014';

/** The same place in the document and the answer, with another message. */
const restated = (error: unknown, message: string, extensions: Record<string, unknown>): GraphQLError =>
  error instanceof GraphQLError
    ? new GraphQLError(message, {
        extensions,
        ...(error.nodes === undefined ? {} : { nodes: error.nodes }),
        ...(error.path === undefined ? {} : { path: error.path }),
      })
    : new GraphQLError(message, { extensions });

/**
 * Faults of the request reach the client with their code; whatever else goes wrong is logged here and shown as
 * INTERNAL_SERVER_ERROR, without a word about the inside.
 */
export const createMaskError =
  (log: Logger) =>
  (error: unknown): Error => {
    const cause = causeOf(error);
    if (cause instanceof GraphQLError) {
      return cause === error ? cause : restated(error, cause.message, { ...cause.extensions });
    }
    if (isOpenLedgerError(cause) && cause.handling === 'reject') {
      const action = cause.action === undefined ? {} : { action: cause.action };
      return restated(error, cause.message, { code: cause.code, ...action });
    }
    if (isStatementTimeout(cause)) return restated(error, 'the query took too long', { code: 'TIMEOUT' });
    log.error({ err: cause }, 'a resolver failed');
    return restated(error, 'internal error', { code: 'INTERNAL_SERVER_ERROR' });
  };
