import { isForkActive } from './forks.ts';
import type { RollupConfig } from './rollupConfig.ts';

type Config = Pick<RollupConfig, 'forks' | 'maxSequencerDrift' | 'channelTimeout'>;

/**
 * Parameters that forks changed (specs/protocol/derivation.md, "Protocol Parameters"), by the timestamp of the L1 block that is
 * being derived from; the drift by that of the batch's L1 origin. Seconds, L1 blocks, bytes.
 */
export const maxSequencerDrift = (config: Config, l1OriginTimestamp: bigint): bigint =>
  isForkActive(config.forks, 'fjord', l1OriginTimestamp) ? 1800n : config.maxSequencerDrift;

export const channelTimeout = (config: Config, l1Timestamp: bigint): bigint =>
  isForkActive(config.forks, 'granite', l1Timestamp) ? 50n : config.channelTimeout;

export const maxRlpBytesPerChannel = (config: Config, l1Timestamp: bigint): number =>
  isForkActive(config.forks, 'fjord', l1Timestamp) ? 100_000_000 : 10_000_000;

export const maxChannelBankSize = (config: Config, l1Timestamp: bigint): number =>
  isForkActive(config.forks, 'fjord', l1Timestamp) ? 1_000_000_000 : 100_000_000;
