/** OP Stack hard forks in order. A fork that is active at genesis is active from the first block; see specs/protocol. */
export const forks = [
  'bedrock',
  'regolith',
  'canyon',
  'delta',
  'ecotone',
  'fjord',
  'granite',
  'holocene',
  'isthmus',
  'jovian',
  'karst',
] as const;

export type Fork = (typeof forks)[number];

/** L2 timestamp (unix seconds) of each activation; absent means never. */
export type ForkSchedule = Readonly<Partial<Record<Fork, bigint>>>;

export const isForkActive = (schedule: ForkSchedule, fork: Fork, timestamp: bigint): boolean => {
  const activation = schedule[fork];
  return activation !== undefined && timestamp >= activation;
};

/** New chains start at the newest fork: everything active at genesis. */
export const allForksAtGenesis: ForkSchedule = Object.fromEntries(forks.map((fork) => [fork, 0n]));

/** Whether `active`, the newest fork of a block, includes what `fork` brought. */
export const includesFork = (active: Fork, fork: Fork): boolean => forks.indexOf(active) >= forks.indexOf(fork);

/** The newest fork that is active at an L2 timestamp. */
export const activeFork = (schedule: ForkSchedule, timestamp: bigint): Fork =>
  forks.findLast((fork) => isForkActive(schedule, fork, timestamp)) ?? 'bedrock';
