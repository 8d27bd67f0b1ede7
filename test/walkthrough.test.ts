import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const MINUTES = 60_000;

type Report = {
  ok: boolean;
  steps: { name: string; ok: boolean; detail: string; txHash?: string }[];
  blocks: number;
  events: number;
  domainLossBefore: number;
  domainLossAfter: number;
  payoutSumWei: string;
  fundedWei: string;
  claimTx: string;
};

/** `npm start -- --exit`, as a person would type it; returns its exit code and the JSON of its last line. */
const start = (dataDir: string): Promise<{ code: number | null; output: string; report: Report | undefined }> =>
  new Promise((resolve) => {
    const child = spawn('npm', ['start', '--', '--exit', '--data-dir', dataDir, '--port-offset', '3000'], {
      cwd: root,
    });
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    child.stderr.on('data', (chunk) => {
      output += chunk;
    });
    child.on('close', (code) => {
      const last = output.split('\n').findLast((line) => line.startsWith('{'));
      resolve({ code, output, report: last === undefined ? undefined : (JSON.parse(last) as Report) });
    });
  });

describe('the walkthrough', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'openledger-walkthrough-'));
  afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

  it(
    'holds from OPEN on L1 to a claim that pays, on real input',
    async () => {
      const { code, output, report } = await start(dataDir);
      expect(
        report?.steps.filter((step) => !step.ok),
        output,
      ).toEqual([]);
      expect(code, output).toBe(0);
      expect(report?.ok).toBe(true);
      expect(report?.domainLossAfter).toBeLessThanOrEqual((report?.domainLossBefore ?? 0) * 0.9);
      expect(BigInt(report?.payoutSumWei ?? 0)).toBeGreaterThan(0n);
      expect(report?.payoutSumWei).toBe(report?.fundedWei);
      expect(report?.claimTx).toMatch(/^0x[0-9a-f]{64}$/);
      expect(report?.events).toBeGreaterThan(50);
    },
    20 * MINUTES,
  );

  it(
    'goes on where it was when it is started again on the same data',
    async () => {
      const first = await start(dataDir);
      expect(first.code, first.output).toBe(0);
      expect(first.output).toContain('played here before');
      const second = await start(dataDir);
      expect(second.code, second.output).toBe(0);
      expect(second.report?.blocks ?? 0).toBeGreaterThan(first.report?.blocks ?? 0);
      expect(second.report?.claimTx).toBe(first.report?.claimTx);
    },
    5 * MINUTES,
  );
});
