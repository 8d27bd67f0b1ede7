import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { printedSchema } from '../src/index.ts';

/** Run after changing the schema: `node --import tsx graphql/scripts/printSchema.ts`. */
const file = fileURLToPath(new URL('../schema.graphql', import.meta.url));
await writeFile(file, printedSchema());
execFileSync('npx', ['biome', 'format', '--write', file], { stdio: 'inherit' });
