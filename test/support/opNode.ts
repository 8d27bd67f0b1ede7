import { parseRollupJson } from '@openledger/chain-config';
import { type Hex, numberToHex } from 'viem';
import { expect } from 'vitest';
import { type BridgeClients, contract } from './bridgeClients.ts';
import { SUBMISSION_INTERVAL } from './rollupL1.ts';

type L1Ref = {
  readonly hash: Hex;
  readonly number: number;
  readonly parentHash: Hex;
  readonly timestamp: number;
};
type L2Ref = L1Ref & { readonly l1origin: { hash: Hex; number: number }; readonly sequenceNumber: number };

type SyncStatus = Readonly<Record<'current_l1' | 'head_l1' | 'safe_l1' | 'finalized_l1', L1Ref>> &
  Readonly<Record<'unsafe_l2' | 'safe_l2' | 'finalized_l2' | 'local_safe_l2' | 'cross_unsafe_l2', L2Ref>>;

type OutputAtBlock = {
  readonly version: Hex;
  readonly outputRoot: Hex;
  readonly blockRef: L2Ref;
  readonly withdrawalStorageRoot: Hex;
  readonly stateRoot: Hex;
  readonly syncStatus: SyncStatus;
};

/** op-node's methods, which no client library has types for. */
const opNode = ({ l2 }: BridgeClients) => {
  const ask = <T>(method: string, ...params: readonly unknown[]): Promise<T> =>
    l2.request({ method, params } as never) as Promise<T>;
  return {
    version: () => ask<string>('optimism_version'),
    rollupConfig: () => ask<unknown>('optimism_rollupConfig'),
    syncStatus: () => ask<SyncStatus>('optimism_syncStatus'),
    outputAtBlock: (number: Hex) => ask<OutputAtBlock>('optimism_outputAtBlock', number),
  };
};

type Proposal = { readonly outputRoot: Hex; readonly l2BlockNumber: bigint };

/** Every output that L2OutputOracle has. */
export const proposals = async ({ l1, rollup }: BridgeClients): Promise<readonly Proposal[]> => {
  const oracle = contract('L2OutputOracle', rollup.l1.file.l1Contracts.l2OutputOracle);
  const count = Number(await l1.readContract({ ...oracle, functionName: 'nextOutputIndex' }));
  const read = (index: number) => l1.readContract({ ...oracle, functionName: 'getL2Output', args: [BigInt(index)] });
  return Promise.all(Array.from({ length: count }, (_, index) => read(index) as Promise<Proposal>));
};

/** Configuration, heads and outputs as op-node tells them, compared with the node's own, with L1 and with the oracle. */
export const expectOpNodeAnswers = async (clients: BridgeClients): Promise<void> => {
  const node = opNode(clients);
  expect(await node.version()).toMatch(/^OpenLedger\/v\d/);
  expect(parseRollupJson(await node.rollupConfig())).toEqual(clients.rollup.engine.config);
  const status = await node.syncStatus();
  const { unsafe_l2: unsafe, safe_l2: safe, finalized_l2: finalized } = status;
  expect(status).toMatchObject({ current_l1: status.head_l1, cross_unsafe_l2: unsafe, local_safe_l2: safe });
  expect([unsafe.number >= safe.number, safe.number >= finalized.number, finalized.number > 0]).not.toContain(false);
  for (const [tag, ref] of [
    ['latest', status.head_l1],
    ['safe', status.safe_l1],
    ['finalized', status.finalized_l1],
  ] as const) {
    const { hash, number, parentHash, timestamp } = await clients.l1.getBlock({ blockTag: tag });
    expect(ref).toEqual({ hash, number: Number(number), parentHash, timestamp: Number(timestamp) });
  }
  for (const { hash, number, l1origin } of [unsafe, safe, finalized]) {
    expect((await clients.l2.getBlock({ blockNumber: BigInt(number) })).hash).toBe(hash);
    expect((await clients.l1.getBlock({ blockNumber: BigInt(l1origin.number) })).hash).toBe(l1origin.hash);
  }
  const proposed = await proposals(clients);
  expect(proposed.map(({ l2BlockNumber }) => l2BlockNumber)).toEqual(
    proposed.map((_, i) => SUBMISSION_INTERVAL * BigInt(i + 1)),
  );
  for (const { outputRoot, l2BlockNumber } of proposed) {
    const output = await node.outputAtBlock(numberToHex(l2BlockNumber));
    expect(output).toMatchObject({ outputRoot, blockRef: { number: Number(l2BlockNumber) }, syncStatus: status });
  }
};
