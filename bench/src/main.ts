import { attribution } from './attribution.ts';
import { derive } from './derive.ts';
import { evm } from './evm.ts';
import { lane } from './lane.ts';
import { preconfirmations } from './preconfirmations.ts';
import { type BenchResult, machine, print } from './report.ts';
import { rewards } from './rewards.ts';
import { serve } from './serve.ts';
import { startup } from './startup.ts';
import { train } from './train.ts';

const benches: Readonly<Record<string, () => Promise<BenchResult>>> = {
  attribution,
  derive,
  evm,
  lane,
  preconfirmations,
  rewards,
  serve,
  startup,
  train,
};

const [name = '', ...flags] = process.argv.slice(2);
const bench = benches[name];
if (!bench) {
  console.error(`usage: npm run bench -- NAME [--json]\nNAME: ${Object.keys(benches).join(', ')}`);
  process.exitCode = 2;
} else {
  const result = await bench();
  if (flags.includes('--json')) console.log(JSON.stringify({ ...result, machine: machine() }));
  else print(result);
}
