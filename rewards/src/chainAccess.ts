import type { EventReader } from '@openledger/event-log';
import type { ArchivedBatch } from './challenge/batchArchive.ts';
import type { Call } from './challenge/challengeCalls.ts';
import type { LedgerRules } from './ledger/ledgerState.ts';
import type { Part, ProvenChunk } from './trace/partView.ts';

/** The chain, as distributor and watcher need it; who composes the process has the keys and the RPC. */
export type ChainAccess = {
  readonly reader: EventReader;
  readonly chainId: number;
  readonly rules: LedgerRules;
  /** A view function's result. */
  read(call: Call): Promise<unknown>;
  /** Sends from the own account and waits until it is mined; rejects when the contract refuses. */
  send(call: Call, value?: bigint): Promise<void>;
  /** The pages in the calldata of the transaction that appended a batch, also those that no node reads. */
  pages(batch: ArchivedBatch): Promise<readonly Uint8Array[]>;
  /** The chunks that were shown on chain of a proposed epoch. */
  shown(epoch: bigint): Promise<Readonly<Record<Part, ReadonlyMap<number, ProvenChunk>>>>;
  /** Timestamp of the newest block, unix seconds. */
  now(): Promise<bigint>;
};
