import './scalars.ts';
import './chain.ts';
import './datanets.ts';
import './contributors.ts';
import './models.ts';
import './jobs.ts';
import './inferenceJobs.ts';
import './attribution.ts';
import './rewards.ts';
import './staking.ts';
import './provenance.ts';
import './audits.ts';
import './meta.ts';
import './subscriptions.ts';
import './provisional.ts';
import { lexicographicSortSchema, printSchema } from '../graphqlJs.ts';
import { builder } from './builder.ts';

/** Each file above adds its domain's types to the one builder. */
export const schema = builder.toSchema();

export const printedSchema = (): string => `${printSchema(lexicographicSortSchema(schema))}\n`;
