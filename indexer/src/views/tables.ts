import type { ViewRows } from './generated.ts';

export type TableName = keyof ViewRows;

/**
 * How a view table is kept. `append`: rows are never changed, and unwinding deletes what came after a block (`by` the
 * block's number or the row's position). `journal`: rows change in place, a trigger keeps the old ones (migrations).
 */
export type ViewTable<T extends TableName = TableName> = {
  readonly key: readonly (keyof ViewRows[T] & string)[];
  readonly history: 'append' | 'journal';
  readonly by?: 'number' | 'position';
  /** Columns that the database looks up, or changes, while it inserts; `n` is the new row. */
  readonly lookup?: { readonly [K in keyof ViewRows[T] & string]?: string };
};

const append = <T extends TableName>(
  key: ViewTable<T>['key'],
  more: Partial<Pick<ViewTable<T>, 'by' | 'lookup'>> = {},
): ViewTable<T> => ({ key, history: 'append', by: 'position', ...more });
const journal = <T extends TableName>(key: ViewTable<T>['key']): ViewTable<T> => ({ key, history: 'journal' });

/** A contribution's sum before the blocks that are being written. */
const sumBefore = (column: 'outputs' | 'weight'): string =>
  `(SELECT s.${column} FROM contribution_blocks s WHERE s.contribution_id = n.contribution_id AND s.method = n.method
    ORDER BY s.position DESC LIMIT 1)`;

/** Every view table, in the order in which a batch is written: contribution_blocks look up contributions. */
export const viewTables: { readonly [T in TableName]: ViewTable<T> } = {
  blocks: append(['number'], { by: 'number' }),
  transactions: append(['position']),
  events: append(['position']),
  datanets: journal(['datanet_id']),
  datanet_versions: append(['datanet_id', 'version']),
  reviewers: journal(['datanet_id', 'reviewer']),
  contributions: journal(['contribution_id']),
  contributors: journal(['contributor']),
  models: journal(['model_id']),
  evaluations: append(['position']),
  splits: append(['version']),
  jobs: journal(['job_id']),
  job_updates: append(['position']),
  channels: journal(['channel_id']),
  inference_jobs: journal(['job_id']),
  settlements: append(['position']),
  batches: journal(['batch_index']),
  rejected_pages: append(['position']),
  outputs: append(['position']),
  contribution_blocks: append(['contribution_id', 'position', 'method'], {
    lookup: {
      // Only what was there at the block's end counts, however many blocks are written at once.
      contributor: `(SELECT c.contributor FROM contributions c
        WHERE c.contribution_id = n.contribution_id AND c.position < n.position + 4194304)`,
      outputs: `n.outputs + coalesce(${sumBefore('outputs')}, 0)`,
      weight: `n.weight + coalesce(${sumBefore('weight')}, 0)`,
    },
  }),
  fundings: append(['funding_id']),
  reward_epochs: journal(['epoch']),
  claims: append(['position']),
  recipients: journal(['account']),
  runners: journal(['runner']),
  stakes: journal(['staker', 'runner']),
  unbondings: append(['position']),
  withdrawals: append(['position']),
  slashes: append(['position']),
  deployments: append(['position']),
  audits: journal(['output_id']),
  audit_votes: journal(['output_id', 'juror']),
};

/** SQL views over them, for readers; the columns that may be null. */
export const sqlViews = { attributions: ['contributor'] } as const satisfies Record<string, readonly string[]>;

export const tableNames = Object.keys(viewTables) as TableName[];
