import { createLogger } from '@openledger/kit';
import { openPglite } from '../../src/database/pglite.ts';
import { createIndexer } from '../../src/indexer.ts';
import { TestChain } from './testChain.ts';

/** Indexes a chain that never ends into a data directory, until it is killed. Says each step on stdout. */
const [dataDir = '', seed = '1'] = process.argv.slice(2);
const chain = await TestChain.open(Number(seed));
await chain.mineMany(140, 3);
const database = await openPglite({ schema: 'chain_1', dataDir });
const log = createLogger({ name: 'crash', level: 'error' });
const { signal } = new AbortController();
const indexer = createIndexer({ reader: chain.log, database, log, signal, batch: { entries: 3 } });
setInterval(() => process.stdout.write(`${indexer.state().seq}\n`), 20);
