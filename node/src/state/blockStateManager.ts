import { RLP } from '@ethereumjs/rlp';
import { MerkleStateManager } from '@ethereumjs/statemanager';
import { type Account, type Address, createAddressFromString, unpadBytes } from '@ethereumjs/util';
import { concatBytes, hexToBytes, toBytes } from 'viem';
import { nodeError } from '../errors.ts';
import { keccak256Bytes } from '../primitives/crypto.ts';
import { StateChanges, type StateDiff } from './stateChanges.ts';

/** EthereumJS's key of code in the database: this before its hash. */
const CODE_PREFIX = toBytes('c');

/**
 * EthereumJS's state manager, but changes stay in its caches until the block is sealed: the original walks the tries after
 * every transaction. Within a trie, values are put before others are deleted, as geth does: a deletion that collapses a
 * branch needs its sibling, which may be unknown when state is given as proofs, and is often not needed in the end.
 */
export class BlockStateManager extends MerkleStateManager {
  #changes: StateChanges | undefined;

  /**
   * What was written since the last call, as it is now; the first call only starts taking notes. Between transactions:
   * inside one it would tell of writes that are reverted later.
   */
  async takeDiff(): Promise<StateDiff> {
    const noted = this.#changes;
    this.#changes = new StateChanges();
    return noted ? noted.diff(this) : StateChanges.none;
  }

  /** Writes another state's changes over this one, which must be what that one started from. */
  async applyDiff({ accounts, cleared, code, storage }: StateDiff): Promise<void> {
    for (const address of cleared) await this.clearStorage(createAddressFromString(address));
    for (const [address, account] of accounts) await this.putAccount(createAddressFromString(address), account);
    for (const [address, bytes] of code) this._caches?.code?.put(createAddressFromString(address), bytes);
    for (const [address, slots] of storage) {
      const owner = createAddressFromString(address);
      if (!(await this.getAccount(owner))) continue;
      for (const [slot, value] of slots) await this.putStorage(owner, hexToBytes(slot), value);
    }
  }

  override async putAccount(address: Address, account: Account | undefined): Promise<void> {
    this.#changes?.account(address);
    return super.putAccount(address, account);
  }

  override async deleteAccount(address: Address): Promise<void> {
    this.#changes?.cleared(address);
    return super.deleteAccount(address);
  }

  override async putCode(address: Address, value: Uint8Array): Promise<void> {
    this.#changes?.code(address);
    return super.putCode(address, value);
  }

  override async clearStorage(address: Address): Promise<void> {
    this.#changes?.cleared(address);
    return super.clearStorage(address);
  }

  /** @throws when the account doesn't exist */
  override async putStorage(address: Address, key: Uint8Array, value: Uint8Array): Promise<void> {
    if (!(await this.getAccount(address))) throw nodeError('STATE_MISSING', 'storage of an account that is not there');
    this.#changes?.slot(address, key);
    this._caches?.storage?.put(address, key, RLP.encode(unpadBytes(value)));
  }

  override async commit(): Promise<void> {
    await this._trie.commit();
    this._caches?.commit();
    this._checkpointCount--;
    if (this._checkpointCount === 0) this.originalStorageCache.clear();
  }

  override async revert(): Promise<void> {
    await this._trie.revert();
    this._caches?.revert();
    this._storageTries = {};
    this._checkpointCount--;
    if (this._checkpointCount === 0) this.originalStorageCache.clear();
  }

  /** Writes what changed to the tries. @throws when a trie node is missing */
  override async flush(): Promise<void> {
    await this.#flushCode();
    await this.#flushStorage();
    const changed = this._caches?.account?.flush() ?? [];
    const isPut = ([, { accountRLP }]: (typeof changed)[number]) => accountRLP !== undefined;
    for (const [address, { accountRLP }] of [...changed.filter(isPut), ...changed.filter((item) => !isPut(item))]) {
      const key = hexToBytes(`0x${address}`);
      if (accountRLP === undefined) await this._trie.del(key);
      else await this._trie.put(key, accountRLP);
    }
  }

  async #flushCode(): Promise<void> {
    for (const [address, { code }] of this._caches?.code?.flush() ?? []) {
      if (code === undefined) continue;
      const codeHash = keccak256Bytes(code);
      await this._getCodeDB().put(concatBytes([CODE_PREFIX, codeHash]), code);
      await this.modifyAccountFields(createAddressFromString(`0x${address}`), { codeHash });
    }
  }

  async #flushStorage(): Promise<void> {
    const byAddress = new Map<string, { key: Uint8Array; value: Uint8Array }[]>();
    for (const [address, slot, encoded] of this._caches?.storage?.flush() ?? []) {
      const slots = byAddress.get(address) ?? [];
      slots.push({
        key: hexToBytes(`0x${slot}`),
        value: encoded ? (RLP.decode(encoded) as Uint8Array) : new Uint8Array(),
      });
      byAddress.set(address, slots);
    }
    for (const [hex, slots] of byAddress) {
      const address = createAddressFromString(`0x${hex}`);
      const account: Account | undefined = await this.getAccount(address);
      if (!account) continue;
      const trie = this._getStorageTrie(address, account);
      trie.root(account.storageRoot);
      for (const { key, value } of slots) if (value.length > 0) await trie.put(key, RLP.encode(value));
      for (const { key, value } of slots) if (value.length === 0) await trie.del(key);
      account.storageRoot = trie.root();
      await this.putAccount(address, account);
    }
  }
}
