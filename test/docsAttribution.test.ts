import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { priorRoot } from '@openledger/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const run = promisify(execFile);
const root = fileURLToPath(new URL('..', import.meta.url));
const page = readFileSync(join(root, 'docs/attribution.md'), 'utf8');
const snippets = [...page.matchAll(/```ts\n(.*?)```/gs)].map((match) => match[1] ?? '');

/** The page's snippets as they stand, on the sample contributions. */
describe('docs/attribution.md', () => {
  let folder: string;
  // Beside the sources, so that imports resolve as in an app.
  beforeAll(() => {
    folder = mkdtempSync(join(root, 'test', '.snippets-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const printed = async (snippet: number, before = '', after = ''): Promise<string[]> => {
    const file = join(folder, `snippet${snippet}.mts`);
    writeFileSync(file, `${before}${snippets[snippet] ?? ''}${after}`);
    const { stdout } = await run('node', ['--import', 'tsx', file], { cwd: root });
    return stdout.trim().split('\n');
  };

  it('recomputes a payment', async () => {
    const [indexRoot, ...lines] = await printed(0);
    expect(indexRoot).toMatch(/^[0-9a-f]{64}$/);
    const [meters, shed, ...spans] = lines;
    expect(meters).toMatch(/^3 \d+n$/);
    expect(shed).toMatch(/^5 \d+n$/);
    const total = [meters, shed].reduce((sum, line) => sum + BigInt(line?.match(/ (\d+)n/)?.[1] ?? 0), 0n);
    expect(total).toBe(2n ** 32n - 1n);
    expect(spans).toEqual([
      '3 The lamp blinks once for every watt-hour',
      '5 The reserve is the part of the state of charge that the battery keeper does not sell',
    ]);
  }, 60_000);

  it('recomputes a retrieval', async () => {
    const [best, second, ...rows] = await printed(1);
    expect(best).toMatch(/^2 1 \d+ \d+$/);
    expect(second).toMatch(/^\d \d+ \d+ \d+$/);
    expect(rows.length).toBeGreaterThan(0);
  }, 60_000);

  it('weighs rows by the influence that a training reported', async () => {
    const prior = [
      { contribution_id: '3', weight: 65_535 },
      { contribution_id: '5', weight: 0 },
    ];
    const root = priorRoot(new Map(prior.map(({ contribution_id, weight }) => [contribution_id, weight])));
    const report = JSON.stringify({ influence: { lambda_bps: 0, root, prior } });
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(request.url ?? '');
      response.end(report);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const before = `const [runnerUrl, jobId] = ['http://127.0.0.1:${(server.address() as AddressInfo).port}', 7];
        const rows = [{ contributionId: '3', weight: 1n }, { contributionId: '5', weight: 9n }];\n`;
      const after = 'console.log(paid.map(({ contributionId }) => contributionId).join());';
      expect(await printed(2, before, after)).toEqual(['3']);
      expect(asked).toEqual(['/v1/training/jobs/7/report']);
    } finally {
      server.close();
    }
  }, 60_000);

  it('has no other snippets, and names tests that exist', () => {
    expect(snippets).toHaveLength(3);
    const tests = ['evidence', 'retrieval', 'influence'].map((name) =>
      readFileSync(join(root, `gpu-runner/engine/tests/test_${name}.py`), 'utf8'),
    );
    const vectors = readFileSync(join(root, 'gpu-runner/engine/vectors/evidence-0.json'), 'utf8');
    for (const [, name = ''] of page.matchAll(/`(test_\w+)`/g)) expect(tests.join()).toContain(`def ${name}(`);
    for (const [, name = ''] of page.matchAll(/vector "(.*?)"/g)) expect(vectors).toContain(`"name": "${name}"`);
  });
});
