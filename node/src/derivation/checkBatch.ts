import { type ForkSchedule, isForkActive, maxSequencerDrift, type RollupConfig } from '@openledger/chain-config';
import type { Hex } from 'viem';
import type { SingularBatch } from '../channels/singularBatch.ts';
import type { L1Block } from '../l1/l1Source.ts';
import type { L2Parent } from './stage.ts';

/**
 * - `accept`: apply it now;
 * - `drop`: it never becomes valid;
 * - `undecided`: the L1 blocks known so far don't tell;
 * - `future`: ask again once the chain is there (before Holocene only);
 * - `past`: the chain has this block already (since Holocene only).
 */
export type BatchValidity = 'accept' | 'drop' | 'undecided' | 'future' | 'past';

export type BatchContext = {
  readonly config: RollupConfig;
  /** Consecutive, from the epoch that batches may still be of up to the block being derived from. */
  readonly epochs: readonly L1Block[];
  readonly parent: L2Parent;
  /** The L1 block in which the batch became complete. */
  readonly inclusion: L1Block;
};

const DEPOSIT_TYPE = 0x7e;
const SET_CODE_TYPE = 4;
const FIRST_LEGACY = 0xc0;

/** Whether a sequencer may put this transaction in a block of that time (isthmus/derivation.md, "Activation"). */
export const isSequenced = (transaction: Hex, forks: ForkSchedule, timestamp: bigint): boolean => {
  const type = Number.parseInt(transaction.slice(2, 4), 16);
  if (Number.isNaN(type) || type === DEPOSIT_TYPE) return false;
  if (type === SET_CODE_TYPE) return isForkActive(forks, 'isthmus', timestamp);
  return type <= 2 || type >= FIRST_LEGACY;
};

/** Jovian's first block carries no sequenced transactions (jovian/derivation.md, "Activation Block Rules"). */
export const isJovianActivation = ({ forks, blockTime }: RollupConfig, timestamp: bigint): boolean =>
  isForkActive(forks, 'jovian', timestamp) && !isForkActive(forks, 'jovian', timestamp - blockTime);

/**
 * Past the drift bound a block must be empty, and may stay on its L1 origin only until the next one is old enough for it
 * (derivation.md, "Batch Queue", `max_sequencer_drift`).
 */
export const checkDrift = (
  config: RollupConfig,
  block: {
    timestamp: bigint;
    origin: L1Block;
    nextOrigin: L1Block | undefined;
    advancesOrigin: boolean;
    isEmpty: boolean;
  },
): BatchValidity => {
  const { timestamp, origin, nextOrigin, advancesOrigin, isEmpty } = block;
  if (timestamp <= origin.timestamp + maxSequencerDrift(config, origin.timestamp)) return 'accept';
  if (!isEmpty) return 'drop';
  if (advancesOrigin) return 'accept';
  if (!nextOrigin) return 'undecided';
  return timestamp >= nextOrigin.timestamp ? 'drop' : 'accept';
};

/** The rules for one block's batch, in the spec's order (derivation.md, "Batch Queue"; holocene/derivation.md). */
export const checkSingularBatch = (batch: SingularBatch, context: BatchContext): BatchValidity => {
  const { config, epochs, parent, inclusion } = context;
  const [epoch, nextEpoch] = epochs;
  if (!epoch) return 'undecided';
  const holocene = isForkActive(config.forks, 'holocene', inclusion.timestamp);
  const { timestamp, transactions } = batch;
  const nextTimestamp = parent.timestamp + config.blockTime;
  if (timestamp > nextTimestamp) return holocene ? 'drop' : 'future';
  if (timestamp < nextTimestamp) return holocene ? 'past' : 'drop';
  if (batch.parentHash !== parent.hash) return 'drop';
  if (batch.epoch.number + config.sequencerWindowSize < inclusion.number) return 'drop';

  const step = batch.epoch.number - epoch.number;
  if (step < 0n || step > 1n) return 'drop';
  const origin = step === 0n ? epoch : nextEpoch;
  if (!origin) return 'undecided';
  if (batch.epoch.hash !== origin.hash) return 'drop';
  if (timestamp < origin.timestamp) return 'drop';
  const isEmpty = transactions.length === 0;
  const drift = checkDrift(config, {
    timestamp,
    origin,
    nextOrigin: nextEpoch,
    advancesOrigin: step === 1n,
    isEmpty,
  });
  if (drift !== 'accept') return drift;
  if (!isEmpty && isJovianActivation(config, timestamp)) return 'drop';
  return transactions.every((transaction) => isSequenced(transaction, config.forks, timestamp)) ? 'accept' : 'drop';
};
