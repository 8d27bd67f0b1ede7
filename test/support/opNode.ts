import type { Hex } from 'viem';
import { type BridgeClients, contract } from './bridgeClients.ts';

export type L1Ref = {
  readonly hash: Hex;
  readonly number: number;
  readonly parentHash: Hex;
  readonly timestamp: number;
};
export type L2Ref = L1Ref & { readonly l1origin: { hash: Hex; number: number }; readonly sequenceNumber: number };

export type SyncStatus = Readonly<Record<'current_l1' | 'head_l1' | 'safe_l1' | 'finalized_l1', L1Ref>> &
  Readonly<Record<'unsafe_l2' | 'safe_l2' | 'finalized_l2' | 'local_safe_l2' | 'cross_unsafe_l2', L2Ref>>;

export type OutputAtBlock = {
  readonly version: Hex;
  readonly outputRoot: Hex;
  readonly blockRef: L2Ref;
  readonly withdrawalStorageRoot: Hex;
  readonly stateRoot: Hex;
  readonly syncStatus: SyncStatus;
};

/** op-node's methods, which no client library has types for. */
export const opNode = ({ l2 }: BridgeClients) => {
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
