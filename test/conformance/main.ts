import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { describeError } from '@openledger/kit';
import type { Suite } from './suite.ts';
import { suites } from './suites.ts';

/** Counts of one suite; `skipped` cases are those whose vectors aren't in the folder. */
export type SuiteResult = {
  readonly suite: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly total: number;
  readonly failing: readonly string[];
};

/** Runs every case that the folder has. A case's error is told on stderr with the case's name. */
export const runSuite = async (suite: Suite, fixtures: string): Promise<SuiteResult> => {
  const cases = existsSync(fixtures) ? await suite.cases(fixtures) : undefined;
  if (!cases) return { suite: suite.name, passed: 0, failed: 0, skipped: 1, total: 1, failing: [] };
  const failing: string[] = [];
  for (const { name, run } of cases) {
    try {
      await run();
    } catch (error) {
      failing.push(name);
      console.error(`${suite.name} ${name}: ${describeError(error).slice(0, 2_000)}`);
    }
  }
  const failed = failing.length;
  return { suite: suite.name, passed: cases.length - failed, failed, skipped: 0, total: cases.length, failing };
};

const main = async (): Promise<void> => {
  const { values } = parseArgs({
    options: { fixtures: { type: 'string' }, suite: { type: 'string', multiple: true }, json: { type: 'boolean' } },
  });
  const fixtures = resolve(values.fixtures ?? '../shared/fixtures');
  const unknown = (values.suite ?? []).filter((name) => !suites.some((suite) => suite.name === name));
  if (unknown.length > 0) {
    console.error(`no suite ${unknown.join(', ')}; there are ${suites.map(({ name }) => name).join(', ')}`);
    process.exitCode = 2;
    return;
  }
  const results: SuiteResult[] = [];
  for (const suite of suites) {
    if (values.suite && !values.suite.includes(suite.name)) continue;
    const result = await runSuite(suite, fixtures);
    results.push(result);
    const note = result.skipped > 0 ? `skipped: no such vectors in ${fixtures}` : `${result.passed} of ${result.total}`;
    console.log(`${suite.name.padEnd(16)} ${note}`);
  }
  if (values.json) console.log(JSON.stringify({ suites: results }));
  if (results.some(({ failed }) => failed > 0)) process.exitCode = 1;
};

if (import.meta.filename === process.argv[1]) await main();
