import type { Plugin } from 'graphql-yoga';
import { type ASTVisitor, GraphQLError, type ValidationContext } from '../graphqlJs.ts';

/** Each directive costs the validator and the executor a look-up, however useless it is. */
const maxDirectivesRule =
  (max: number) =>
  (context: ValidationContext): ASTVisitor => {
    let count = 0;
    return {
      Directive: (node) => {
        if (++count !== max + 1) return;
        const extensions = { code: 'TOO_MANY_DIRECTIVES', http: { status: 400 } };
        context.reportError(new GraphQLError(`more than ${max} directives`, { nodes: node, extensions }));
      },
    };
  };

export const maxDirectivesPlugin = (max: number): Plugin => ({
  onValidate: ({ addValidationRule }) => addValidationRule(maxDirectivesRule(max)),
});
