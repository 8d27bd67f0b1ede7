import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '@openledger/kit';
import { startNode } from '@openledger/node';
import { ScriptedL1 } from '../../../node/test/support/scriptedL1.ts';
import { makeGenesis } from '../../../node/test/support/testGenesis.ts';
import { signers } from '../evm/accounts.ts';
import { chainTime, L1_BLOCK_SECONDS, RUNNERS, systemConfig } from './setting.ts';

/** A sequencing node as production starts it, on disk, over an L1 that only keeps time. Ends when its parent goes. */
const main = async (): Promise<void> => {
  const l1 = new ScriptedL1();
  l1.blockTime = BigInt(L1_BLOCK_SECONDS);
  setInterval(() => l1.mine(), L1_BLOCK_SECONDS * 1000).unref();
  const genesis = await makeGenesis(l1.genesis, systemConfig);
  const funded = signers(RUNNERS).map(({ address }) => [
    address,
    { balance: 10n ** 24n, nonce: 0n, code: '0x', storage: {} },
  ]);
  const dataDir = mkdtempSync(join(tmpdir(), 'openledger-bench-'));
  const node = await startNode(
    {
      dataDir,
      genesis: { ...genesis, alloc: { ...genesis.alloc, ...Object.fromEntries(funded) } },
      l1: { url: 'http://127.0.0.1:1', trustRpc: true },
      host: '127.0.0.1',
      port: 0,
      corsOrigins: [],
      role: { kind: 'sequencer', l1Confirmations: 0n, flashblockMs: 200 },
      verifierL1Confirmations: 0n,
      maxPoolBytes: 32 * 1024 * 1024,
      clockOffsetMs: chainTime(genesis.timestamp),
    },
    { log: createLogger({ name: 'node', level: 'warn' }), l1 },
  );
  process.on('message', () => {
    const { user, system } = process.cpuUsage();
    process.send?.({ cpuSeconds: (user + system) / 1e6 });
  });
  process.send?.({ url: node.url });
  process.on('disconnect', async () => {
    await node.close();
    rmSync(dataDir, { recursive: true, force: true });
    process.exit(0);
  });
};

await main();
