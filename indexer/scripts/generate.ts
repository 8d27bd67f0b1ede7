import { writeFile } from 'node:fs/promises';
import { openPglite } from '../src/database/pglite.ts';
import { migrate } from '../src/migrate.ts';
import { describeSchema, describeViewTypes } from './describeSchema.ts';

/** Run after adding a migration: `node --import tsx indexer/scripts/generate.ts`. */
const database = await openPglite({ schema: 'views' });
await migrate(database);
await writeFile(new URL('../schema.sql', import.meta.url), await describeSchema(database));
await writeFile(new URL('../src/views/generated.ts', import.meta.url), await describeViewTypes(database));
await database.close();
