import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { runSuite } from './main.ts';
import { suites } from './suites.ts';

const fixtures = fileURLToPath(new URL('../../../shared/fixtures', import.meta.url));
/** Some of its loops run for minutes in an interpreter: `npm run conformance` has it. */
const TOO_LONG = 'state';
/** Share of the vectors that a suite has to pass, where not all do yet. */
const targets: Readonly<Record<string, number>> = { rpc: 0.95, 'rpc-simulate': 0.8 };

describe.skipIf(!existsSync(fixtures))(
  'vectors that nobody here wrote (skipped where the shared fixtures are missing)',
  () => {
    it.each(suites.filter(({ name }) => name !== TOO_LONG))(
      '$name',
      async (suite) => {
        const { passed, total, failing, skipped } = await runSuite(suite, fixtures);
        expect(skipped).toBe(0);
        const share = targets[suite.name];
        if (share === undefined) expect(failing).toEqual([]);
        else expect(passed / total, failing.join(', ')).toBeGreaterThanOrEqual(share);
      },
      300_000,
    );
  },
);
