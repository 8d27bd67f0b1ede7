import type { BlockAttributes, ChainRules } from '../../execution/chainRules.ts';
import { OpRules } from '../../execution/opRules.ts';
import { type Header, ZERO_HASH } from '../../primitives/header.ts';
import type { BlockOverrides } from './blockOverrides.ts';

/** On a rollup fees go to vaults instead of being burned, and a block's attributes come from L1. */
export const isRollup = (rules: ChainRules): boolean => rules instanceof OpRules;

/**
 * A simulated block's attributes: the overrides', else the parent's where a chain hands them on. On a rollup those are also
 * what the L1 origin decides, as if the block had its parent's; on Ethereum geth leaves them empty.
 */
export const attributesAfter = (
  rules: ChainRules,
  parent: Header,
  overrides: BlockOverrides & { readonly time: bigint },
): BlockAttributes => {
  const fromL1 = isRollup(rules);
  return {
    timestamp: overrides.time,
    gasLimit: overrides.gasLimit ?? parent.gasLimit,
    feeRecipient: overrides.feeRecipient ?? parent.miner,
    difficulty: overrides.difficulty ?? parent.difficulty,
    prevRandao: overrides.prevRandao ?? (fromL1 ? parent.mixHash : ZERO_HASH),
    parentBeaconBlockRoot: overrides.beaconRoot ?? (fromL1 ? parent.parentBeaconBlockRoot : undefined) ?? ZERO_HASH,
    extraData: fromL1 ? parent.extraData : '0x',
    withdrawals: overrides.withdrawals ?? [],
  };
};
