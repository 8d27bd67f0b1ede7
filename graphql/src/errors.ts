import { type ErrorMeta, OpenLedgerError } from '@openledger/kit';

export type GraphqlErrorCode =
  | 'BAD_CURSOR'
  | 'BAD_PAGE_SIZE'
  | 'BAD_VALUE'
  | 'TOO_COMPLEX'
  | 'TOO_DEEP'
  | 'TOO_MANY_ALIASES'
  | 'TOO_MANY_TOKENS'
  | 'TOO_MANY_DIRECTIVES'
  | 'NOT_PROVIDED'
  | 'TOO_MANY_SUBSCRIPTIONS'
  | 'TIMEOUT';

const actions: Record<GraphqlErrorCode, string> = {
  BAD_CURSOR: 'Take cursors from pageInfo or edges of the same list, with the same order.',
  BAD_PAGE_SIZE: 'Ask for 1 to 100 items, with either first or last.',
  BAD_VALUE: 'See the description of the scalar in the schema.',
  TOO_COMPLEX: 'Ask for fewer items or fields at once, or follow the pages.',
  TOO_DEEP: 'Ask in several queries.',
  TOO_MANY_ALIASES: 'Ask in several queries.',
  TOO_MANY_TOKENS: 'Make the document smaller.',
  TOO_MANY_DIRECTIVES: 'Make the document smaller.',
  NOT_PROVIDED: 'Ask a server that follows a sequencing node.',
  TOO_MANY_SUBSCRIPTIONS: 'Complete a subscription first, or use one with more types.',
  TIMEOUT: 'Ask for less at once, or narrow the filter.',
};

/** A fault of the request: its message and code reach the client, everything else is masked. */
export const requestError = (code: GraphqlErrorCode, message: string, meta: ErrorMeta = {}) =>
  new OpenLedgerError(message, { code, handling: 'reject', action: actions[code], meta });
