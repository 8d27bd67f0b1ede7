import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { contracts } from '@openledger/client';
import { keccak256, toBytes } from 'viem';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ana, bo } from '../node/test/support/wallets.ts';
import { ServedChain } from './support/servedChain.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('..', import.meta.url));
const snippets = ['docs/payments.md', 'docs/audits.md'].flatMap((page) => {
  const text = readFileSync(join(root, page), 'utf8');
  return [...text.matchAll(/```(ts|sh)\n(.*?)```/gs)].map(([, language = '', code = '']) => ({ language, code }));
});

/** The pages' snippets as they stand, on a chain and a runner of their own. */
describe('docs/payments.md and docs/audits.md', () => {
  let served: ServedChain;
  let folder: string;
  let env: Record<string, string>;
  beforeAll(async () => {
    served = await ServedChain.start(bo, { channelId: 1n, account: bo });
    await served.prepare(1_000n, 2_000n);
    await served.send(bo, { ...contracts.jobs, functionName: 'openChannel', args: [bo.address], value: 10_000n });
    // Beside the sources, so that imports resolve as in an app.
    folder = mkdtempSync(join(root, 'test', '.snippets-'));
    const { key } = await served.keys.add({ name: 'app', requestsPerMinute: 10, tokensPerDay: 1_000 });
    env = {
      ...(process.env as Record<string, string>),
      RUNNER_URL: served.url,
      RPC_URL: served.node.url,
      PRIVATE_KEY: keccak256(toBytes('ana')),
      RUNNER: bo.address,
      CHAIN_ID: `${served.node.chain.engine.config.l2ChainId}`,
      MODEL: 'base',
      API_KEY: key,
      RUNNER_DATADIR: join(folder, 'runner'),
    };
  });
  afterAll(async () => {
    await served?.close();
    if (folder) rmSync(folder, { recursive: true, force: true });
  });

  it.each([
    ['asks what a call costs', 0, /"scheme":"openledger-channel".*"maxAmountRequired":"81"/],
    ['opens a channel and pays', 1, /0x[0-9a-f]{64} 50 wei\nHello \{ signed: 81n, spent: 50n \}/],
    ['pays for one call in escrow', 2, /^200 .*"source_kind":3/],
    ['makes an API key', 3, /"key":"ol_.*\n.*"name":"my-app"/],
    ['calls with an API key', 4, /"content":"Hello".*"source_id":"1"/],
    ['checks what an answer commits to', 5, /^0x[0-9a-f]{64} was made with seed 7\n/],
  ])(
    '%s',
    async (_name, index, expected) => {
      const { language, code } = snippets[index] ?? { language: '', code: '' };
      const file = join(folder, `snippet.${language === 'ts' ? 'mts' : 'sh'}`);
      writeFileSync(file, code);
      const command: [string, string[]] =
        language === 'ts' ? ['node', ['--import', 'tsx', file]] : ['bash', ['-e', file]];
      const { stdout } = await served.mining(run(...command, { env, cwd: root }));
      expect(stdout).toMatch(expected);
    },
    120_000,
  );

  it('have no other snippets, and the account pays', () => {
    expect(snippets).toHaveLength(6);
    expect(served.view.channels.get(2n)?.payer).toBe(ana.address.toLowerCase());
  });
});
