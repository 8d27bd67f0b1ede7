import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { FaultWorld } from './faultWorld.ts';
import { findLosses } from './findLosses.ts';
import { planKills, strike } from './killScenario.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    runs: { type: 'string', default: '20' },
    json: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
  },
});
const [seed, runs] = [Number(values.seed), Number(values.runs)];
if (!Number.isSafeInteger(seed) || !Number.isSafeInteger(runs) || runs < 1) {
  console.error('usage: npm run faults -- [--seed N] [--runs M] [--json] [--keep]');
  process.exit(2);
}

const folder = mkdtempSync(join(tmpdir(), 'openledger-faults-'));
const began = Date.now();
const world = await FaultWorld.start(folder);
const met: Record<string, number> = {};
try {
  for (const [index, kill] of planKills(seed, runs).entries()) {
    const name = `${kill.victim} during ${kill.moment}`;
    if (await strike(world, kill)) met[name] = (met[name] ?? 0) + 1;
    if (!values.json) console.log(`${index + 1}/${runs} killed the ${name}`);
  }
  const losses = await findLosses(world);
  const result = {
    name: 'faults',
    seed,
    kills: runs,
    met,
    jobs: world.requested.length,
    committed: world.of('JobCommitted').length,
    refunded: world.of('JobRefunded').length,
    answers: world.receipts.length,
    settlements: world.of('ChannelSettled').length,
    losses,
    seconds: Math.round((Date.now() - began) / 1000),
  };
  console.log(values.json ? JSON.stringify(result) : JSON.stringify(result, null, 2));
  process.exitCode = losses.length === 0 ? 0 : 1;
} finally {
  await world.close();
  if (values.keep) console.error(`kept in ${folder}`);
  else rmSync(folder, { recursive: true, force: true });
}
process.exit();
