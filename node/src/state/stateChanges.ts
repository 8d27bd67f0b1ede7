import type { MerkleStateManager } from '@ethereumjs/statemanager';
import { type Account, type Address, createAddressFromString } from '@ethereumjs/util';
import { bytesToHex, type Hex, hexToBytes } from 'viem';
import { EMPTY_TRIE_ROOT } from '../primitives/header.ts';

/** Values after a stretch of execution, of everything that it wrote. Keys are lower-case hex; an account that is gone is undefined. */
export type StateDiff = {
  readonly accounts: ReadonlyMap<Hex, Account | undefined>;
  /** Accounts whose earlier storage no longer counts. */
  readonly cleared: ReadonlySet<Hex>;
  readonly code: ReadonlyMap<Hex, Uint8Array>;
  readonly storage: ReadonlyMap<Hex, ReadonlyMap<Hex, Uint8Array>>;
};

/** Notes which keys are written. A write that is reverted stays noted, and the diff then has the value from before. */
export class StateChanges {
  static readonly none: StateDiff = { accounts: new Map(), cleared: new Set(), code: new Map(), storage: new Map() };

  readonly #accounts = new Set<Hex>();
  readonly #cleared = new Set<Hex>();
  readonly #code = new Set<Hex>();
  readonly #slots = new Map<Hex, Set<Hex>>();

  account(address: Address): void {
    this.#accounts.add(bytesToHex(address.bytes));
  }

  /** Account and storage; a reverted clearing is told apart by the storage root. */
  cleared(address: Address): void {
    const key = bytesToHex(address.bytes);
    this.#accounts.add(key);
    this.#cleared.add(key);
  }

  code(address: Address): void {
    const key = bytesToHex(address.bytes);
    this.#accounts.add(key);
    this.#code.add(key);
  }

  slot(address: Address, slot: Uint8Array): void {
    const key = bytesToHex(address.bytes);
    const slots = this.#slots.get(key) ?? new Set();
    slots.add(bytesToHex(slot));
    this.#slots.set(key, slots);
  }

  async diff(state: MerkleStateManager): Promise<StateDiff> {
    const accounts = new Map<Hex, Account | undefined>();
    const cleared = new Set<Hex>();
    for (const key of this.#accounts) {
      const account = await state.getAccount(createAddressFromString(key));
      accounts.set(key, account);
      const empty = !account || bytesToHex(account.storageRoot) === EMPTY_TRIE_ROOT;
      if (this.#cleared.has(key) && empty) cleared.add(key);
    }
    const code = new Map<Hex, Uint8Array>();
    for (const key of this.#code) code.set(key, await state.getCode(createAddressFromString(key)));
    const storage = new Map<Hex, Map<Hex, Uint8Array>>();
    for (const [key, slots] of this.#slots) {
      const owner = createAddressFromString(key);
      const values = new Map<Hex, Uint8Array>();
      for (const slot of slots) values.set(slot, await state.getStorage(owner, hexToBytes(slot)));
      storage.set(key, values);
    }
    return { accounts, cleared, code, storage };
  }
}
