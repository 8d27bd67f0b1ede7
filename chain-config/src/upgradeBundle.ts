import type { Address, Hex } from 'viem';
import { isForkActive } from './forks.ts';
import type { RollupConfig } from './rollupConfig.ts';

/**
 * A fork's network upgrade transactions as the OP Stack publishes them (`<fork>_nut_bundle.json`; l2-upgrades-1-execution.md):
 * deposits that replace the system contracts in the fork's first block.
 */
export type UpgradeBundle = readonly {
  /** What it is for; part of its source hash. */
  readonly intent: string;
  readonly from: Address;
  readonly to: Address | null;
  readonly gasLimit: bigint;
  readonly data: Hex;
}[];

/** Reads a bundle file. @throws RangeError naming what is wrong */
export const parseUpgradeBundle = (json: string): UpgradeBundle => {
  const { transactions } = JSON.parse(json) as { transactions?: unknown };
  if (!Array.isArray(transactions)) throw new RangeError('an upgrade bundle has a list of transactions');
  return transactions.map((given: Record<string, unknown>, index) => {
    const { intent, from, to, data, gasLimit } = given;
    const hex = (value: unknown, name: string): Hex => {
      if (typeof value !== 'string' || !/^0x([0-9a-f]{2})*$/i.test(value))
        throw new RangeError(`${name} of ${index} is not hex`);
      return value.toLowerCase() as Hex;
    };
    if (typeof intent !== 'string' || intent === '') throw new RangeError(`transaction ${index} has no intent`);
    if (typeof gasLimit !== 'number' || !Number.isSafeInteger(gasLimit) || gasLimit < 0) {
      throw new RangeError(`gasLimit of ${index} is not a number of gas`);
    }
    return {
      intent,
      from: hex(from, 'from'),
      to: to == null ? null : hex(to, 'to'),
      gasLimit: BigInt(gasLimit),
      data: hex(data, 'data'),
    };
  });
};

type Config = Pick<RollupConfig, 'forks' | 'karstBundle'>;

/** Whether a block at `timestamp` is the first of Karst. A chain that begins with it has no such block. */
export const activatesKarst = (config: Config, parentTimestamp: bigint, timestamp: bigint): boolean =>
  isForkActive(config.forks, 'karst', timestamp) && !isForkActive(config.forks, 'karst', parentTimestamp);

/** Gas that the first block of Karst has beyond its limit, so that its upgrade fits whatever the limit is. */
export const upgradeGas = (config: Config, parentTimestamp: bigint, timestamp: bigint): bigint =>
  activatesKarst(config, parentTimestamp, timestamp)
    ? (config.karstBundle ?? []).reduce((sum, { gasLimit }) => sum + gasLimit, 0n)
    : 0n;
