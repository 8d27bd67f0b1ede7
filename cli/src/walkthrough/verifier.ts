import { join } from 'node:path';
import { createRemoteReader, type EventReader } from '@openledger/event-log';
import { sleep } from '@openledger/kit';
import type { Hex } from 'viem';
import { chainFilePath } from '../devnet/network.ts';
import { withVerifier } from '../rewards/withVerifier.ts';
import type { WalkthroughContext } from './context.ts';
import { check, type StepOutcome } from './steps.ts';

/** Away from the devnet's other ports. */
const PORT_DISTANCE = 50;
const PATIENCE_MS = 3 * 60_000;

type Point = { readonly hash: Hex; readonly logHash: Hex };

/** A new node that is given nothing but the chain's file and L1 derives the same blocks and the same event log. */
export const verifyFromL1 = async (context: WalkthroughContext): Promise<StepOutcome> => {
  const { dataDir, urls } = context.devnet;
  const port = Number(new URL(urls.l2).port) + PORT_DISTANCE;
  const started = performance.now();
  const options = { chain: chainFilePath(dataDir), l1: urls.l1, beacon: urls.l1, port, logs: join(dataDir, 'logs') };
  return withVerifier(options, async (url, ready) => {
    const target = await safeHead(urls.l2);
    await ready;
    const deadline = Date.now() + PATIENCE_MS;
    for (let reached = 0n; reached < target; reached = await safeHead(url)) {
      check(Date.now() < deadline, `the verifier is at block ${reached} of ${target} after ${PATIENCE_MS / 1000} s`);
      await sleep(250);
    }
    const seconds = (performance.now() - started) / 1000;
    const [theirs, ours] = [await pointAt(context.reader, target), await pointAt(createRemoteReader({ url }), target)];
    check(ours.hash === theirs.hash, `the verifier has ${ours.hash} at block ${target}, the sequencer ${theirs.hash}`);
    check(ours.logHash === theirs.logHash, `the event logs differ at block ${target}`);
    return {
      detail: `${target} blocks derived from L1 alone in ${seconds.toFixed(1)} s: head ${ours.hash} and log hash ${ours.logHash} equal the sequencer's`,
    };
  });
};

const safeHead = async (url: string): Promise<bigint> => {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'optimism_syncStatus', params: [] }),
  });
  const { result } = (await response.json()) as { result: { safe_l2: { number: number } } };
  return BigInt(result.safe_l2.number);
};

/** Block and log hash at a number; the last entry of it counts, earlier ones were taken back. */
const pointAt = async (reader: EventReader, number: bigint): Promise<Point> => {
  let point: Point | undefined;
  for await (const entry of reader.read(0)) {
    if (entry.kind === 'block' && entry.number === number) point = { hash: entry.hash, logHash: entry.logHash };
  }
  check(point !== undefined, `block ${number} is not in the event log`);
  return point;
};
