import type { EVM } from '@ethereumjs/evm';
import type { MerkleStateManager } from '@ethereumjs/statemanager';
import { Account, createAddressFromString } from '@ethereumjs/util';
import { opPredeploys } from '@openledger/chain-config';
import type { Address, Hex } from 'viem';
import type { BlockTime, ChainRules, DataFees } from '../../execution/chainRules.ts';
import { isRollup } from './chainProfile.ts';

export type CallFees = {
  /** Wei that a sender needs for L1 data and operator at the gas limit. */
  readonly dataFees: bigint;
  /** Takes everything that could be spent from the sender. */
  prepay(): Promise<void>;
  /** Gives back what wasn't spent, and everyone theirs. */
  settle(gasUsed: bigint): Promise<void>;
};

const NONE: DataFees = { l1Fee: 0n, operatorFee: 0n, daFootprint: 0n };

export type FeeTerms = {
  readonly from: Address;
  readonly gas: bigint;
  /** Wei per gas; the part above the base fee goes to `feeRecipient`. */
  readonly price: bigint;
  readonly baseFee: bigint;
  readonly blobFee: bigint;
  readonly feeRecipient: Address;
  /** Nobody gets anything: no price was offered. */
  readonly isFree: boolean;
  /** The transaction's bytes when it pays for its data; undefined when a simulation doesn't validate. */
  readonly raw: Hex | undefined;
};

/** What a call pays and to whom. Data fees are those of the unsigned bytes, some 65 less than a signed transaction has. */
export const callFees = async (
  { rules, evm, state, time }: { rules: ChainRules; evm: EVM; state: MerkleStateManager; time: BlockTime },
  { from, gas, price, baseFee, blobFee, feeRecipient, isFree, raw }: FeeTerms,
): Promise<CallFees> => {
  const dataFeesAt = (amount: bigint) => (raw ? rules.dataFees(state, { raw }, amount, time) : NONE);
  const { l1Fee, operatorFee } = await dataFeesAt(gas);
  const add = async (who: Address, amount: bigint) => {
    const address = createAddressFromString(who);
    const account = (await state.getAccount(address)) ?? new Account();
    account.balance += amount;
    await evm.journal.putAccount(address, account);
  };
  const addSome = (who: Address, amount: bigint) => (amount === 0n ? undefined : add(who, amount));
  return {
    dataFees: l1Fee + operatorFee,
    prepay: async () => addSome(from, -(gas * price + blobFee + l1Fee + operatorFee)),
    settle: async (gasUsed) => {
      const { operatorFee: spent } = await dataFeesAt(gasUsed);
      await addSome(from, (gas - gasUsed) * price + operatorFee - spent);
      // Even of nothing, so that an empty recipient is cleaned up as in a real block.
      if (!isFree) await add(feeRecipient, gasUsed * (price - baseFee));
      if (!isRollup(rules)) return;
      if (!isFree) await addSome(opPredeploys.baseFeeVault, gasUsed * baseFee);
      await addSome(opPredeploys.l1FeeVault, l1Fee);
      await addSome(opPredeploys.operatorFeeVault, spent);
    },
  };
};
