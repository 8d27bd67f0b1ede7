import SchemaBuilder, { type ObjectRef } from '@pothos/core';
import ComplexityPlugin from '@pothos/plugin-complexity';
import RelayPlugin from '@pothos/plugin-relay';
import { requestError } from '../errors.ts';
import { GraphQLList, GraphQLNonNull, type GraphQLOutputType, getNamedType } from '../graphqlJs.ts';
import type { LiveProvisional } from '../liveProvisional.ts';
import type { LiveViews } from '../liveViews.ts';
import type { Views } from '../views.ts';
import { DEFAULT_PAGE } from './page.ts';

export type Context = {
  views: Views;
  live: LiveViews;
  /** Undefined where the server has no feed of them. */
  provisional: LiveProvisional | undefined;
  maxComplexity: number;
  /** Unix milliseconds after which the query is given up. */
  deadline?: number;
};

type SchemaTypes = {
  Context: Context;
  DefaultFieldNullability: false;
  DefaultEdgesNullability: { list: false; items: false };
  DefaultNodeNullability: false;
  Connection: { count: () => Promise<number | null> };
  Scalars: {
    Address: { Input: string; Output: string };
    Hex32: { Input: string; Output: string };
    Uint256: { Input: string; Output: string };
    Long: { Input: number; Output: number };
    JSON: { Input: unknown; Output: unknown };
    ID: { Input: string; Output: string | number };
  };
};

const isList = (type: GraphQLOutputType): boolean =>
  type instanceof GraphQLList || (type instanceof GraphQLNonNull && isList(type.ofType));

/** Lists outside connections are short: evaluations by suite, versions, steps of a job. */
const SHORT_LIST = 5;

export const builder = new SchemaBuilder<SchemaTypes>({
  plugins: [RelayPlugin, ComplexityPlugin],
  defaultFieldNullability: false,
  relay: {
    edgesFieldOptions: { nullable: { list: false, items: false } },
    nodeFieldOptions: { nullable: false },
    nodesOnConnection: true,
    nodesQueryOptions: false,
  },
  complexity: {
    limit: ({ maxComplexity }) => ({ complexity: maxComplexity }),
    // A connection holds `first` items, and its edges or nodes are those same items.
    fieldComplexity: (args, _context, { name, type }) => {
      if (getNamedType(type).name.endsWith('Connection')) {
        return { field: 1, multiplier: Number(args.first ?? args.last ?? DEFAULT_PAGE) };
      }
      if (name === 'edges' || name === 'nodes') return { field: 0, multiplier: 1 };
      return { field: 1, multiplier: isList(type) ? SHORT_LIST : 1 };
    },
    complexityError: (_kind, { complexity, maxComplexity }) =>
      requestError('TOO_COMPLEX', `the answer could hold ${complexity} fields, more than ${maxComplexity}`),
  },
});

builder.queryType({ description: 'What the chain recorded, as of `meta.headBlock`.' });
builder.subscriptionType({});

builder.globalConnectionField('totalCount', (t) =>
  t.int({
    nullable: true,
    description: 'Number of items in the list; null above 10,000.',
    resolve: (connection) => connection.count(),
  }),
);

/** One connection type for each node type, whatever list it stands in. */
export const connectionOf = <Row>(type: ObjectRef<PothosSchemaTypes.ExtendDefaultTypes<SchemaTypes>, Row>) =>
  builder.connectionObject({ type, name: `${type.name}Connection` }, { name: `${type.name}Edge` });
