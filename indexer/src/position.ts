import { indexerError } from './errors.ts';

/**
 * Orders everything on the chain in one number: block number times 2^22 plus the index in the block. A block's calldata
 * can't carry four million events, and the product stays an exact JavaScript number up to block 2^31.
 */
const PER_BLOCK = 2 ** 22;

export const positionOf = (blockNumber: bigint | number, index: number): number => {
  if (index >= PER_BLOCK) {
    throw indexerError('INDEXER_UNKNOWN_VALUE', `block ${blockNumber} has more than ${PER_BLOCK} events`);
  }
  return Number(blockNumber) * PER_BLOCK + index;
};

export const blockOfPosition = (position: number): number => Math.floor(position / PER_BLOCK);
