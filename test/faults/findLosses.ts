import { contracts } from '@openledger/client';
import { decodePage, outputIdOf, outputsOf } from '@openledger/contracts';
import type { FaultWorld } from './faultWorld.ts';
import { isEnded } from './killScenario.ts';

const SETTLED_SECONDS = 120;

/**
 * Lets everything end that is under way, then looks for what was lost or done twice. Each line is a fault; none may be there.
 */
export const findLosses = async (world: FaultWorld): Promise<string[]> => {
  const faults: string[] = [];
  for (const jobId of world.requested) {
    await world
      .until(`job ${jobId} ends`, () => isEnded(world, jobId))
      .catch((error: Error) => faults.push(error.message));
  }
  const recorded = () => world.of('PageRecorded').flatMap(({ data }) => outputsOf(decodePage(data)));
  const settledIds = () => recorded().map(outputIdOf);
  for (const { outputId } of world.receipts) {
    const known = () => settledIds().includes(outputId);
    await world
      .until(`the answer ${outputId} is on chain`, known, SETTLED_SECONDS)
      .catch((error: Error) => faults.push(error.message));
  }

  for (const jobId of world.requested) {
    const ends = [...world.of('JobCommitted'), ...world.of('JobRefunded')].filter((job) => job.jobId === jobId).length;
    const paid = world.of('JobSettled').filter((job) => job.jobId === jobId).length;
    const committed = world.of('JobCommitted').filter((job) => job.jobId === jobId).length;
    if (ends !== 1) faults.push(`job ${jobId} ended ${ends} times`);
    if (paid !== committed) faults.push(`job ${jobId} was committed ${committed} times and paid ${paid} times`);
  }
  const ids = settledIds();
  if (new Set(ids).size !== ids.length) faults.push(`${ids.length - new Set(ids).size} outputs are on chain twice`);

  // Same data, same parameters, same machine: whatever was killed in between, one adapter. The chain refuses it a second time.
  for (let pair = 0; pair + 1 < world.requested.length; pair += 2) {
    const jobs = world.requested.slice(pair, pair + 2);
    const made = world.of('JobCommitted').filter(({ jobId }) => jobs.includes(jobId)).length;
    if (made !== 1) faults.push(`of the equal jobs ${jobs.join(' and ')} ${made} were committed`);
  }
  const reasons = world.of('JobFailed').map(({ reason }) => reason);
  // An engine that is killed at every try gives the job back to the market, for the next try.
  const allowed = /WeightsTaken|ENGINE_EXITED/;
  for (const reason of reasons) if (!allowed.test(reason)) faults.push(`a job failed: ${reason}`);

  const settled = world.of('ChannelSettled').filter(({ channelId }) => channelId === world.channelId);
  const amounts = settled.map(({ cumulative }) => cumulative);
  const last = amounts.at(-1) ?? 0n;
  const receipts = world.receipts.reduce((sum, { cost }) => sum + cost, 0n);
  if (amounts.some((amount, index) => index > 0 && amount <= (amounts[index - 1] ?? 0n)))
    faults.push('a channel was settled backwards');
  if (last < receipts) faults.push(`answers of ${receipts} wei were given, ${last} wei settled`);
  const calls = recorded().filter(({ sourceKind }) => sourceKind === 2);
  const feeWeights = calls.reduce((sum, { feeWeight }) => sum + feeWeight, 0n);
  if (last !== feeWeights) faults.push(`${last} wei were settled for outputs of ${feeWeights} wei`);

  const client = world.node.client;
  const fees = world.of('JobSettled').reduce((sum, { amount }) => sum + amount, 0n);
  const funded = await client.getBalance({ address: contracts.rewards.address });
  if (funded !== fees + last) faults.push(`the rewards hold ${funded} wei, ${fees + last} were settled`);
  return faults;
};
