import type { PrecompileFunc } from '@ethereumjs/evm';
import type { MerkleStateManager } from '@ethereumjs/statemanager';
import { Account, createAddressFromString } from '@ethereumjs/util';
import { type Address, getAddress, type Hex, hexToBytes, trim } from 'viem';
import { toFields, toHexBytes, toQuantity } from './params.ts';
import { serverError } from './rpcError.ts';

/** What an account is taken to be while a call is simulated; fields that are left out are as in the state. */
export type AccountOverride = {
  readonly nonce: bigint | undefined;
  /** Wei. */
  readonly balance: bigint | undefined;
  readonly code: Hex | undefined;
  /** The whole storage, or the slots that differ. */
  readonly state: ReadonlyMap<Hex, Hex> | undefined;
  readonly stateDiff: ReadonlyMap<Hex, Hex> | undefined;
  readonly movePrecompileTo: Address | undefined;
};

/** By lowercase address, in ascending order: what geth applies them in. */
export type StateOverrides = ReadonlyMap<Address, AccountOverride>;

export const toStateOverrides = (value: unknown, index: number): StateOverrides => {
  const entries = Object.entries(toFields(value, index, 'state overrides')).map(
    ([address, fields]) => [toHexBytes(address, index, 20) as Address, toAccountOverride(fields, index)] as const,
  );
  return new Map(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
};

const toAccountOverride = (value: unknown, index: number): AccountOverride => {
  const fields = toFields(value, index, 'an account override');
  const quantity = (field: unknown, bits: number) => (field == null ? undefined : toQuantity(field, index, bits));
  const slots = (field: unknown) =>
    field == null
      ? undefined
      : new Map(
          Object.entries(toFields(field, index, 'storage slots')).map(
            ([slot, word]) => [toHexBytes(slot, index, 32), toHexBytes(word, index, 32)] as const,
          ),
        );
  const { code, movePrecompileToAddress: moved } = fields;
  return {
    nonce: quantity(fields.nonce, 64),
    balance: quantity(fields.balance, 256),
    code: code == null ? undefined : toHexBytes(code, index),
    state: slots(fields.state),
    stateDiff: slots(fields.stateDiff),
    movePrecompileTo: moved == null ? undefined : (toHexBytes(moved, index, 20) as Address),
  };
};

/** Writes the overrides into a throw-away state. @throws -32000 when an account has both kinds of storage overrides */
export const applyStateOverrides = async (state: MerkleStateManager, overrides: StateOverrides): Promise<void> => {
  for (const [hex, { nonce, balance, code, state: storage, stateDiff }] of overrides) {
    if (storage && stateDiff) throw serverError(`account ${getAddress(hex)} has both 'state' and 'stateDiff'`);
    const address = createAddressFromString(hex);
    if (nonce === undefined && balance === undefined && code === undefined && !storage && !stateDiff) continue;
    const account = (await state.getAccount(address)) ?? new Account();
    if (nonce !== undefined) account.nonce = nonce;
    if (balance !== undefined) account.balance = balance;
    // Also when nothing of it differs: geth writes such an account even when it is empty.
    await state.putAccount(address, account);
    if (code !== undefined) await state.putCode(address, hexToBytes(code));
    if (storage) await state.clearStorage(address);
    for (const [slot, word] of storage ?? stateDiff ?? []) {
      const bytes = BigInt(word) === 0n ? new Uint8Array() : hexToBytes(trim(word));
      await state.putStorage(address, hexToBytes(slot), bytes);
    }
  }
  // Refunds are counted from the overridden values, as if they had been there before.
  state.originalStorageCache.clear();
};

/**
 * An overridden precompile is one no longer; a moved one is where it was moved to. Changes the map of one EVM only.
 * @throws -32000 when there is no precompile to move, or its new place is overridden itself
 */
export const movePrecompiles = (precompiles: Map<string, PrecompileFunc>, overrides: StateOverrides): void => {
  const taken = new Set<Address>();
  for (const [address, { movePrecompileTo: target }] of overrides) {
    if (taken.has(address)) {
      throw serverError(`account ${getAddress(address)} has already been overridden by a precompile`);
    }
    const key = address.slice(2);
    const precompile = precompiles.get(key);
    if (target !== undefined) {
      if (!precompile) throw serverError(`account ${getAddress(address)} is not a precompile`);
      if (overrides.has(target)) throw serverError(`account ${getAddress(target)} is already overridden`);
      precompiles.set(target.slice(2), precompile);
      taken.add(target);
    }
    precompiles.delete(key);
  }
};
