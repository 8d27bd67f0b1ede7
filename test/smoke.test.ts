import { it, expect } from 'vitest';
import { Rollup } from './support/rollup.ts';
it('goes', async () => {
  let t = performance.now();
  const lap = (n: string) => { process.stderr.write(`${n} ${Math.round(performance.now()-t)}ms\n`); t = performance.now(); };
  const r = await Rollup.start(BigInt(Math.floor(Date.now()/1000)));
  lap('start');
  await r.batchAs('calldata');
  try {
  for (let i=0;i<12;i++) await r.turn();
  lap('12 turns');
  const h = r.engine.heads;
  process.stderr.write(JSON.stringify([h.unsafe.number,h.safe.number,h.finalized.number].map(String))+'\n');
  await r.turn(60n); lap('jump');
  await r.until(async()=>r.engine.heads.finalized.number>60n); lap('until');
  await r.batchAs('blobs');
  const n = r.engine.heads.unsafe.number;
  await r.until(async()=>r.engine.heads.finalized.number>n); lap('blobs');
  } finally { await r.close(); }
}, 120000);
