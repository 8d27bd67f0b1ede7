import type { Common } from '@ethereumjs/common';
import { createMPT } from '@ethereumjs/mpt';
import { Caches } from '@ethereumjs/statemanager';
import type { BatchDBOp, DB } from '@ethereumjs/util';
import type { LevelDb, PutOp } from '@openledger/event-log';
import { type Hex, hexToBytes } from 'viem';
import { keccak256Bytes } from '../primitives/crypto.ts';
import { EMPTY_TRIE_ROOT } from '../primitives/header.ts';
import { BlockStateManager } from './blockStateManager.ts';
import { reachableNodes } from './reachableNodes.ts';

const STATE = 0x73; // 's' + trie node hash or prefixed code hash: node or code bytes
const CACHE_ENTRIES = 200_000;

const stateKey = (hexKey: string): Uint8Array => {
  const key = new Uint8Array(1 + hexKey.length / 2);
  key[0] = STATE;
  key.set(hexToBytes(`0x${hexKey}`), 1);
  return key;
};

/** A view of the state at one root. Writes stay in memory until `takeWrites`. */
export type StateView = {
  readonly manager: BlockStateManager;
  /** The operations that persist everything reachable from `root` that is new; the overlay is left as it is. */
  writesFor(root: Hex): PutOp[];
};

/**
 * World state by root, archive: trie nodes and code are keyed by hash and never deleted. It owns key prefix `s` of the
 * node's database and writes nothing itself.
 */
export class StateStore {
  readonly #db: LevelDb;
  readonly #cache = new Map<string, Uint8Array>();

  constructor(db: LevelDb) {
    this.#db = db;
  }

  /** @throws when the root isn't stored (EthereumJS error), so that a missing state is never taken for an empty one. */
  async at(root: Hex, common: Common): Promise<StateView> {
    const overlay = new Map<string, Uint8Array>();
    const trie = await createMPT({
      db: this.#overlayDb(overlay),
      useKeyHashing: true,
      useKeyHashingFunction: keccak256Bytes,
      valueEncoding: 'view',
      cacheSize: 0,
      common,
    });
    const manager = new BlockStateManager({
      common,
      trie,
      caches: new Caches({ account: { size: 100_000 }, storage: { size: 100_000 }, code: { size: 2_000 } }),
    });
    if (root !== EMPTY_TRIE_ROOT) await manager.setStateRoot(hexToBytes(root));
    return {
      manager,
      writesFor: (newRoot) => {
        const ops: PutOp[] = [];
        for (const key of reachableNodes(newRoot, overlay)) {
          const value = overlay.get(key);
          if (!value) continue;
          ops.push({ type: 'put', key: stateKey(key), value });
          this.#remember(key, value);
        }
        return ops;
      },
    };
  }

  #remember(key: string, value: Uint8Array): void {
    if (this.#cache.size >= CACHE_ENTRIES) {
      const oldest = this.#cache.keys().next().value;
      if (oldest !== undefined) this.#cache.delete(oldest);
    }
    this.#cache.set(key, value);
  }

  #overlayDb(overlay: Map<string, Uint8Array>): DB<string, Uint8Array> {
    const read = async (key: string): Promise<Uint8Array | undefined> => {
      const recent = overlay.get(key) ?? this.#cache.get(key);
      if (recent) return recent;
      const stored = await this.#db.get(stateKey(key));
      if (stored) this.#remember(key, stored);
      return stored;
    };
    const database: DB<string, Uint8Array> = {
      get: read,
      put: async (key, value) => void overlay.set(key, value),
      del: async (key) => void overlay.delete(key),
      batch: async (ops: BatchDBOp<string, Uint8Array>[]) => {
        for (const op of ops) {
          if (op.type === 'put') overlay.set(op.key, op.value);
          else overlay.delete(op.key);
        }
      },
      shallowCopy: () => database,
      open: async () => {},
    };
    return database;
  }
}
