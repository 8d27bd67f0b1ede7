import { concatHex, type Hex, keccak256 } from 'viem';
import { nodeError } from '../errors.ts';
import type { Block } from '../primitives/block.ts';
import { ZERO_HASH } from '../primitives/header.ts';

/** What an output of version 0 commits to (specs/protocol/proposals.md, "L2 Output Commitment Construction"). */
export type OutputV0 = {
  readonly stateRoot: Hex;
  /** Storage root of L2ToL1MessagePasser; the header's withdrawals root since Isthmus. */
  readonly messagePasserStorageRoot: Hex;
  readonly blockHash: Hex;
};

/** keccak256(version 0 ++ state root ++ message passer storage root ++ block hash). */
export const outputRootV0 = (output: OutputV0): Hex =>
  keccak256(concatHex([ZERO_HASH, output.stateRoot, output.messagePasserStorageRoot, output.blockHash]));

/** The output of a block since Isthmus, whose header alone says it (isthmus/exec-engine.md). @throws BLOCK_INVALID before */
export const outputAtBlock = ({
  hash,
  header,
}: Pick<Block, 'hash' | 'header'>): OutputV0 & { readonly outputRoot: Hex } => {
  const { stateRoot, withdrawalsRoot } = header;
  if (!withdrawalsRoot) throw nodeError('BLOCK_INVALID', 'the header has no withdrawals root', { hash });
  const output = { stateRoot, messagePasserStorageRoot: withdrawalsRoot, blockHash: hash };
  return { ...output, outputRoot: outputRootV0(output) };
};
