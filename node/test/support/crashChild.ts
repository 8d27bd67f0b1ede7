import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import type { LevelDb } from '@openledger/event-log';
import { ClassicLevel } from 'classic-level';
import { ScriptedL1 } from './scriptedL1.ts';
import { TestChain } from './testChain.ts';
import { ana, bo, chi } from './wallets.ts';

/**
 * Sequences blocks on disk until it is killed. Every line that it prints was acknowledged: `tx HASH` when the mempool said
 * so, `block NUMBER HASH` when the engine did.
 */
const folder = process.argv[2];
if (!folder) throw new Error('usage: crashChild FOLDER');
// Loading takes seconds; it is done while another child still holds the folder, which is ours from the first byte on.
await once(process.stdin, 'data');
process.stdin.destroy();
const say = (line: string) => process.stdout.write(`${line}\n`);

const db = new ClassicLevel<Uint8Array, Uint8Array>(folder, { keyEncoding: 'view', valueEncoding: 'view' });
const l1 = new ScriptedL1();
const chain = await TestChain.start({ db: db as unknown as LevelDb, l1 });
say('up');
const senders = [ana, bo, chi];
const send = async (account: typeof ana) => {
  const { nonce } = await chain.engine.accountAtHead(account.address);
  const next = chain.mempool.nextNonce(account.address, nonce);
  await chain.send(account, { nonce: Number(next), value: next }).then(
    (hash) => say(`tx ${hash}`),
    // The nonce was used by a block in between.
    () => {},
  );
};
// Transactions come while blocks are made, as over RPC.
void (async () => {
  for (let i = 0; ; i++) {
    await send(senders[i % senders.length] ?? ana);
    await wait(1);
  }
})();
for (;;) {
  const { header, hash } = await chain.step();
  say(`block ${header.number} ${hash}`);
}
