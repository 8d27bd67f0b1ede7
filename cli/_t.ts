import { startL1 } from './src/devnet/network.ts';
import { mkdtempSync } from 'node:fs';
const t=Date.now();
const r=await startL1({dataDir: mkdtempSync('/tmp/ci/dn-'), port: 17545});
console.log('ok', Date.now()-t, r.chain.l1Contracts, Object.keys(r.chain.genesis.alloc).length);
await r.anvil.stop(); process.exit(0);
