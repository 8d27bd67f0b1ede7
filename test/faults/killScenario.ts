import { jobsAbi } from '@openledger/contracts';
import { sleep } from '@openledger/kit';
import { toFunctionSelector } from 'viem';
import type { FaultWorld } from './faultWorld.ts';

/** When a kill strikes: while a training runs, while an answer is made, while a commit or a settlement is on its way. */
const moments = ['train', 'serve', 'commit', 'settle'] as const;
type Moment = (typeof moments)[number];
type Kill = {
  readonly moment: Moment;
  readonly victim: 'runner' | 'engine';
  readonly delayMs: number;
  readonly step: number;
};

/** Trainings that may be open at once: a commit to strike is then never far. */
const OPEN_JOBS = 2;
/** Steps of a training (faultWorld) before which a kill may come. */
const STEPS = 20;

/** Mulberry32: 32 bits of state, good enough to spread kills, and the same kills for the same seed. */
const random = (seed: number): (() => number) => {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
};

export const planKills = (seed: number, count: number): Kill[] => {
  const next = random(seed);
  const pick = <T>(values: readonly T[]): T => values[Math.floor(next() * values.length)] as T;
  return Array.from({ length: count }, () => ({
    moment: pick(moments),
    victim: pick(['runner', 'engine'] as const),
    delayMs: Math.floor(next() * 1_500),
    step: 1 + Math.floor(next() * STEPS),
  }));
};

const commitTraining = toFunctionSelector(
  jobsAbi.find((item) => 'name' in item && item.name === 'commitTraining') as never,
);
const settleChannels = toFunctionSelector(
  jobsAbi.find((item) => 'name' in item && item.name === 'settleChannels') as never,
);

/** Resolves when the runner has handed in a transaction that calls this, or after the given seconds. */
const transactionOf = (world: FaultWorld, selector: string, seconds: number): Promise<boolean> =>
  new Promise((resolve) => {
    const stop = world.node.chain.mempool.onTransaction((transaction) => {
      if (!`0x${Buffer.from(transaction.tx.data).toString('hex', 0, 4)}`.startsWith(selector)) return;
      done(true);
    });
    const timer = setTimeout(() => done(false), seconds * 1000);
    const done = (seen: boolean) => {
      clearTimeout(timer);
      stop();
      resolve(seen);
    };
  });

/** Brings about the moment, kills, and starts what was killed again. Returns whether the moment was met. */
export const strike = async (world: FaultWorld, kill: Kill): Promise<boolean> => {
  const open = () => world.requested.filter((jobId) => !isEnded(world, jobId));
  while (open().length < OPEN_JOBS) await world.requestTraining();
  let met = true;
  const asked: Promise<unknown>[] = [];
  if (kill.moment === 'train') {
    met = await Promise.race([
      ...open().map((jobId) =>
        world
          .until('a step', async () => (await world.stepsOf(jobId)) >= kill.step || isEnded(world, jobId), 120)
          .then(() => !isEnded(world, jobId)),
      ),
    ]);
  } else if (kill.moment === 'commit') {
    met = await transactionOf(world, commitTraining, 120);
    await sleep(kill.delayMs);
  } else {
    const settled = kill.moment === 'settle' ? transactionOf(world, settleChannels, 60) : Promise.resolve(true);
    for (let call = 0; call < 3; call++) asked.push(world.ask(`model-${world.baseId}`, kill.step * 10 + call));
    met = await settled;
    await sleep(kill.delayMs);
  }
  if (kill.victim === 'engine') met = world.runner.killEngine() && met;
  else {
    await world.runner.kill();
    await world.runner.start();
  }
  await Promise.all(asked);
  return met;
};

export const isEnded = (world: FaultWorld, jobId: bigint): boolean =>
  world.of('JobCommitted').some((job) => job.jobId === jobId) ||
  world.of('JobRefunded').some((job) => job.jobId === jobId);
