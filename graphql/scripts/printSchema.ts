import { writeFile } from 'node:fs/promises';
import { printedSchema } from '../src/index.ts';

/** Run after changing the schema: `node --import tsx graphql/scripts/printSchema.ts`. */
await writeFile(new URL('../schema.graphql', import.meta.url), printedSchema());
