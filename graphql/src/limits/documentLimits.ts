import { maxAliasesPlugin } from '@escape.tech/graphql-armor-max-aliases';
import { maxDepthPlugin } from '@escape.tech/graphql-armor-max-depth';
import { maxTokensPlugin } from '@escape.tech/graphql-armor-max-tokens';
import type { Plugin } from 'graphql-yoga';
import type { GraphqlLimits } from '../config.ts';
import type { GraphqlErrorCode } from '../errors.ts';
import { GraphQLError } from '../graphqlJs.ts';
import { maxDirectivesPlugin } from './maxDirectives.ts';

/** The armor plugins report their limit as a syntax error; ours carry a code. */
const refuse = (code: GraphqlErrorCode) => ({
  propagateOnRejection: false,
  onReject: [
    (_context: unknown, error: GraphQLError) => {
      const message = error.message.replace(/^Syntax Error: /, '');
      throw new GraphQLError(message, { extensions: { code, http: { status: 400 } } });
    },
  ],
});

/** Refuses documents by their shape, before anything is resolved. */
export const documentLimits = (limits: GraphqlLimits): Plugin[] => [
  maxTokensPlugin({ n: limits.tokens, ...refuse('TOO_MANY_TOKENS') }) as Plugin,
  maxDepthPlugin({ n: limits.depth, flattenFragments: true, ...refuse('TOO_DEEP') }) as Plugin,
  maxAliasesPlugin({ n: limits.aliases, allowList: [], ...refuse('TOO_MANY_ALIASES') }) as Plugin,
  maxDirectivesPlugin(limits.directives),
];
