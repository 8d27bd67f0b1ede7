import type { Hex } from 'viem';
import { measureL1Data } from './lane/l1Data.ts';
import { type LaneTransaction, type Load, makeLoad } from './lane/laneLoad.ts';
import { startLaneNetwork } from './lane/laneNetwork.ts';
import { measureAnvilSingles, measureOurSingles } from './lane/lanePeers.ts';
import { proveRandomEvents } from './lane/laneProofs.ts';
import { usual } from './lane/makeBatches.ts';
import { type LaneRun, measureLane } from './lane/measureLane.ts';
import { rpc, sendEach, sendMany } from './lane/sendRaw.ts';
import type { BenchResult } from './report.ts';

const number = (name: string, fallback: number): number => Number(process.env[name] ?? fallback);

/** Attributions a second that are offered, for so long, so many in a transaction: about 9 transactions of 30 kB a second. */
const RATE = number('LANE_RATE', 22_000);
const SECONDS = number('LANE_SECONDS', 60);
const BATCH_EVENTS = number('LANE_BATCH_EVENTS', 2_500);
const SHORT_SECONDS = number('LANE_SHORT_SECONDS', 15);
const PROOFS = number('LANE_PROOFS', 1_000);
const SATURATION_RATE = number('LANE_SATURATION_RATE', 60_000);
const SATURATION_BATCH_EVENTS = 8_000;
const RUNNERS = 4;

const percentile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;

const latencyFigures = (name: string, { latencies }: LaneRun): Record<string, number> =>
  Object.fromEntries(
    Object.entries(latencies).flatMap(([stage, sorted]) => [
      [`${name}_${stage}_p50_ms`, percentile(sorted, 0.5)],
      [`${name}_${stage}_p95_ms`, percentile(sorted, 0.95)],
    ]),
  );

/** Seconds since the block was made that is final by now: how long it takes, whatever is sent. */
const ageOf = async (url: string, tag: 'finalized'): Promise<number> => {
  const block = await rpc<{ timestamp: Hex } | null>(url, 'eth_getBlockByNumber', [tag, false]);
  return Date.now() / 1000 - Number(block?.timestamp ?? 0);
};

const perSecond = ({ shown, seconds }: LaneRun): number => shown / seconds;

/** Attributions through the whole node: submitted, sequenced, executed, on disk, in the event log, in the views. */
export const lane = async (): Promise<BenchResult> => {
  const anvil = await measureAnvilSingles(sendMany);
  const anvilRequests = await measureAnvilSingles(sendEach);
  const network = await startLaneNetwork({ runners: RUNNERS, databaseUrl: process.env.LANE_DATABASE_URL });
  try {
    const singles = await measureOurSingles(network);
    // Each runner's first transaction was its bond.
    const signers = { runners: network.runners, chainId: network.chainId, nonces: network.runners.map(() => 1) };
    let firstSeed = 1;
    const run = async (load: Partial<Load>): Promise<{ sent: LaneTransaction[]; result: LaneRun }> => {
      const whole: Load = {
        rate: RATE,
        seconds: SECONDS,
        batchEvents: BATCH_EVENTS,
        shape: usual,
        pace: 'steady',
        ...load,
      };
      const sent = await makeLoad(whole, { ...signers, firstSeed });
      firstSeed += sent.length;
      return { sent, result: await measureLane(network, sent) };
    };
    const short = { seconds: SHORT_SECONDS, rate: RATE / 2 };
    const steady = await run({});
    const bursty = await run({ ...short, pace: 'bursty' });
    const uniform = await run({ ...short, shape: { ...usual, zipf: false } });
    // More than it can take, to see how much that is: the node pushes back, the senders wait.
    const saturated = await run({ ...short, rate: SATURATION_RATE, batchEvents: SATURATION_BATCH_EVENTS });
    const proofs = await proveRandomEvents(network, PROOFS);
    const finalizedAge = await ageOf(network.l2, 'finalized');
    const runs = [steady, bursty, uniform, saturated].map(({ result }) => result);
    const lost = runs.reduce((sum, { sent, logged, shown }) => sum + 2 * sent - logged - shown, 0);
    const l1 = measureL1Data(steady.sent, network.chainId);
    const bytes = steady.sent.reduce((sum, transaction) => sum + transaction.bytes, 0);
    const gas = Number(steady.result.gasUsed) / steady.result.logged;
    const sustained = perSecond(steady.result);
    const most = Math.max(sustained, perSecond(saturated.result));
    const preconfirmed = percentile(steady.result.latencies.preconfirmed, 0.95);
    const sequenced = percentile(steady.result.latencies.sequenced, 0.95);
    const atLeast = (goal: string, target: number, actual: number) => ({ goal, target, actual, met: actual >= target });
    const atMost = (goal: string, target: number, actual: number) => ({ goal, target, actual, met: actual <= target });
    return {
      name: 'lane',
      ours: {
        events: steady.result.shown,
        eventsPerSecond: sustained,
        burstyEventsPerSecond: perSecond(bursty.result),
        uniformEventsPerSecond: perSecond(uniform.result),
        saturatedEventsPerSecond: most,
        gasPerEvent: gas,
        bytesPerEvent: bytes / steady.result.sent,
        l1BytesPerEvent: l1.bytesPerEvent,
        eventsPerBlob: l1.eventsPerBlob,
        blobGasPerEvent: l1.blobGasPerEvent,
        lost,
        finalizedAgeSeconds: finalizedAge,
        singlesPerSecond: singles.perSecond,
        singlesGasPerEvent: singles.gas,
        proofGas: proofs.gas,
        proofBytes: proofs.bytes,
        ...latencyFigures('steady', steady.result),
        ...latencyFigures('bursty', bursty.result),
        ...latencyFigures('uniform', uniform.result),
        ...latencyFigures('saturated', saturated.result),
      },
      peers: {
        anvil: { eventsPerSecond: anvil.perSecond, gasPerEvent: anvil.gas },
        anvilWithARequestEach: { eventsPerSecond: anvilRequests.perSecond },
      },
      ratios: {
        toAnvilSingles: most / anvil.perSecond,
        toAnvilWithARequestEach: most / anvilRequests.perSecond,
        toOurSingles: most / singles.perSecond,
      },
      goals: [
        atLeast('events/s sustained, visible in the views', 20_000, sustained),
        atLeast('times anvil with a transaction for each event, in JSON-RPC batches', 20, most / anvil.perSecond),
        atLeast('times anvil with a transaction and a request each', 20, most / anvilRequests.perSecond),
        atMost('events lost', 0, lost),
        atMost('gas per event', 500, gas),
        atLeast('random events proven on chain', PROOFS, proofs.proven),
        atMost('preconfirmed within ms, p95', 300, preconfirmed),
        atMost('sequenced within ms, p95', 1_500, sequenced),
      ],
    };
  } finally {
    await network.close();
  }
};
