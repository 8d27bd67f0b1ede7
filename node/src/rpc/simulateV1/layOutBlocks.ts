import type { Header } from '../../primitives/header.ts';
import type { BlockOverrides } from './blockOverrides.ts';
import { simulationError } from './simulationErrors.ts';
import type { SimulatedBlock } from './toSimulation.ts';

/** Blocks that one request may make, those that fill gaps included. */
export const MAX_BLOCKS = 256n;

/** Seconds between blocks whose time isn't given: geth's, also on rollups, whatever their own block time is. */
const TIMESTAMP_INCREMENT = 12n;

export type PlannedBlock = SimulatedBlock & {
  readonly overrides: BlockOverrides & { readonly number: bigint; readonly time: bigint };
};

/**
 * Gives every block its number and time. Numbers that the request leaves out in between become empty blocks.
 * @throws -38020, -38021 when numbers or times don't rise; -38026 when there are too many blocks
 */
export const layOutBlocks = (base: Header, blocks: readonly SimulatedBlock[]): PlannedBlock[] => {
  const planned: PlannedBlock[] = [];
  let { number: lastNumber, timestamp: lastTime } = base;
  for (const block of blocks) {
    const number = block.overrides.number ?? lastNumber + 1n;
    if (number <= lastNumber) {
      throw simulationError('blockNumber', `block numbers must be in order: ${number} <= ${lastNumber}`);
    }
    if (number - base.number > MAX_BLOCKS) throw simulationError('clientLimit', 'too many blocks');
    for (let gap = lastNumber + 1n; gap < number; gap++) {
      lastTime += TIMESTAMP_INCREMENT;
      planned.push({ calls: [], state: new Map(), overrides: { ...NOTHING, number: gap, time: lastTime } });
    }
    const time = block.overrides.time ?? lastTime + TIMESTAMP_INCREMENT;
    if (time <= lastTime) {
      throw simulationError('blockTimestamp', `block timestamps must be in order: ${time} <= ${lastTime}`);
    }
    planned.push({ ...block, overrides: { ...block.overrides, number, time } });
    [lastNumber, lastTime] = [number, time];
  }
  return planned;
};

const NOTHING: Omit<BlockOverrides, 'number' | 'time'> = {
  difficulty: undefined,
  gasLimit: undefined,
  feeRecipient: undefined,
  prevRandao: undefined,
  baseFeePerGas: undefined,
  blobBaseFee: undefined,
  beaconRoot: undefined,
  withdrawals: undefined,
};
