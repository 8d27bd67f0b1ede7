import { type AttributionPage, batchSourceKinds, decodePage } from '@openledger/contracts';
import type { ChainEvent } from '@openledger/event-log';
import type { Address } from 'viem';
import { payablePage } from '../rules/payablePage.ts';
import type { LedgerState } from './ledgerState.ts';

export type Settlement = {
  readonly sourceKind: number;
  readonly sourceId: number;
  readonly payer: Address;
  /** Wei. */
  readonly amount: bigint;
  readonly splitVersion: number;
};

/** A batch with all that its transaction settled. Pages that don't count are undefined. */
export type Batch = {
  readonly index: number;
  readonly runner: Address;
  readonly pages: (AttributionPage | undefined)[];
  readonly settlements: Settlement[];
};

/** The batches of a block, in order. Bare appends have no settlements. */
export const batchesOf = (events: readonly ChainEvent[], state: LedgerState): Batch[] => {
  const batches = new Map<bigint, Batch>();
  for (const event of events) {
    if (event.type === 'BatchAppended') {
      const { batchIndex, runner } = event.args;
      batches.set(batchIndex, { index: Number(batchIndex), runner, pages: [], settlements: [] });
    } else if (event.type === 'PageRecorded') {
      const { batchIndex, page, data } = event.args;
      const batch = batches.get(batchIndex);
      if (batch) batch.pages[page] = payablePage(data) ? decodePage(data) : undefined;
    } else {
      const settled = settlementOf(event, state);
      if (settled) batches.get(settled.batchIndex)?.settlements.push(settled.settlement);
    }
  }
  return [...batches.values()];
};

/** What an event settles and with which batch: the contract bound the same into the batch's head. */
const settlementOf = (
  event: ChainEvent,
  state: LedgerState,
): { batchIndex: bigint; settlement: Settlement } | undefined => {
  switch (event.type) {
    case 'JobSettled': {
      const { jobId, amount, batchIndex, splitVersion, runner } = event.args;
      const payer = state.requesters.get(jobId) ?? runner;
      const sourceKind = batchSourceKinds.trainingJob;
      return { batchIndex, settlement: { sourceKind, sourceId: Number(jobId), payer, amount, splitVersion } };
    }
    case 'ChannelSettled': {
      const { channelId, payer, amount, batchIndex, splitVersion } = event.args;
      const sourceKind = batchSourceKinds.channel;
      return { batchIndex, settlement: { sourceKind, sourceId: Number(channelId), payer, amount, splitVersion } };
    }
    case 'InferenceSettled': {
      const { jobId, payer, amount, batchIndex, splitVersion } = event.args;
      const sourceKind = batchSourceKinds.inferenceJob;
      return { batchIndex, settlement: { sourceKind, sourceId: Number(jobId), payer, amount, splitVersion } };
    }
    default:
      return undefined;
  }
};
