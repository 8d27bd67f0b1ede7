import type { BlockId } from '@openledger/chain-config';
import type { LevelDb, PutOp } from '@openledger/event-log';
import { concatBytes, type Hex, hexToBytes } from 'viem';
import { nodeError } from '../errors.ts';
import type { ChainRules } from '../execution/chainRules.ts';
import type { Block } from '../primitives/block.ts';
import type { Header } from '../primitives/header.ts';
import { decodeBlock, decodeHeads, encodeBlock, encodeHeads, type HeadIds } from './blockCodec.ts';

const BLOCK = 0x62; // 'b' hash(32): block
const CANONICAL = 0x6e; // 'n' number(8): hash
const TRANSACTION = 0x74; // 't' txHash(32): blockHash(32) index(4)
const HEADS = Uint8Array.of(0x48); // 'H': unsafe, safe, finalized
const GENESIS = Uint8Array.of(0x47); // 'G': genesis hash, to tell chains apart

export type Heads = { readonly unsafe: BlockId; readonly safe: BlockId; readonly finalized: BlockId };

const numberKey = (number: bigint): Uint8Array => {
  const key = new Uint8Array(9);
  key[0] = CANONICAL;
  new DataView(key.buffer).setBigUint64(1, number);
  return key;
};
const hashKey = (prefix: number, hash: Hex): Uint8Array => concatBytes([Uint8Array.of(prefix), hexToBytes(hash)]);

const RECENT_BLOCKS = 256;
/** Of their transactions as hex; in memory a block takes two or three times that. */
const RECENT_CHARACTERS = 64 * 1024 * 1024;

/**
 * Blocks, receipts, canonical numbers, transaction lookup and heads. It owns key prefixes `b n t H G`; as with the other
 * stores, `prepare*` only returns operations and the engine writes them in one batch.
 */
export class ChainStore {
  readonly #db: LevelDb;
  readonly #rules: ChainRules;
  readonly #recent = new Map<Hex, Block>();
  #recentCharacters = 0;
  #heads: HeadIds | undefined;

  private constructor(db: LevelDb, rules: ChainRules) {
    this.#db = db;
    this.#rules = rules;
  }

  /** @throws STORE_WRONG_CHAIN when the directory holds another chain. */
  static async open(db: LevelDb, rules: ChainRules, genesisHash: Hex): Promise<ChainStore> {
    const store = new ChainStore(db, rules);
    const known = await db.get(GENESIS);
    if (known && Buffer.from(known).toString('hex') !== genesisHash.slice(2)) {
      throw nodeError('STORE_WRONG_CHAIN', 'the data directory belongs to a chain with another genesis', {
        expected: genesisHash,
      });
    }
    const heads = await db.get(HEADS);
    store.#heads = heads ? decodeHeads(heads) : undefined;
    return store;
  }

  get isEmpty(): boolean {
    return this.#heads === undefined;
  }

  get heads(): Heads {
    if (!this.#heads) throw nodeError('STORE_CORRUPT', 'the store has no heads');
    return this.#heads;
  }

  /** The block itself; it is found by its hash only. */
  prepareBody(block: Block): PutOp[] {
    return [{ type: 'put', key: hashKey(BLOCK, block.hash), value: encodeBlock(block) }];
  }

  /** What makes a stored block canonical: its number and its transactions lead to it. */
  prepareCanonical(block: Block): PutOp[] {
    const hash = hexToBytes(block.hash);
    return [
      { type: 'put', key: numberKey(block.header.number), value: hash },
      ...block.transactions.map((tx, index): PutOp => {
        const position = new Uint8Array(4);
        new DataView(position.buffer).setUint32(0, index);
        return { type: 'put', key: hashKey(TRANSACTION, tx.hash), value: concatBytes([hash, position]) };
      }),
    ];
  }

  prepareGenesis(block: Block): PutOp[] {
    return [
      ...this.prepareBody(block),
      ...this.prepareCanonical(block),
      { type: 'put', key: GENESIS, value: hexToBytes(block.hash) },
    ];
  }

  prepareHeads(heads: Heads): PutOp[] {
    return [{ type: 'put', key: HEADS, value: encodeHeads(heads) }];
  }

  /** Call after the batch is on disk. */
  committed(heads: Heads, block?: Block): void {
    this.#heads = heads;
    if (block) this.#remember(block);
  }

  async blockByHash(hash: Hex): Promise<Block | undefined> {
    const recent = this.#recent.get(hash);
    if (recent) return recent;
    const bytes = await this.#db.get(hashKey(BLOCK, hash));
    if (!bytes) return undefined;
    const block = decodeBlock(bytes, hash, this.#rules);
    this.#remember(block);
    return block;
  }

  /** Canonical only: numbers above the unsafe head don't exist, whatever a reverted fork left behind. */
  async hashByNumber(number: bigint): Promise<Hex | undefined> {
    if (number < 0n || number > this.heads.unsafe.number) return undefined;
    const bytes = await this.#db.get(numberKey(number));
    return bytes ? `0x${Buffer.from(bytes).toString('hex')}` : undefined;
  }

  async blockByNumber(number: bigint): Promise<Block | undefined> {
    const hash = await this.hashByNumber(number);
    return hash ? this.blockByHash(hash) : undefined;
  }

  async headerByNumber(number: bigint): Promise<Header | undefined> {
    return (await this.blockByNumber(number))?.header;
  }

  async isCanonical(block: BlockId): Promise<boolean> {
    return (await this.hashByNumber(block.number)) === block.hash;
  }

  /** Where a canonical transaction stands. */
  async transaction(hash: Hex): Promise<{ block: Block; index: number } | undefined> {
    const bytes = await this.#db.get(hashKey(TRANSACTION, hash));
    if (!bytes) return undefined;
    const block = await this.blockByHash(`0x${Buffer.from(bytes.subarray(0, 32)).toString('hex')}`);
    if (!block || !(await this.isCanonical({ number: block.header.number, hash: block.hash }))) return undefined;
    return { block, index: new DataView(bytes.buffer, bytes.byteOffset).getUint32(32) };
  }

  #remember(block: Block): void {
    if (this.#recent.has(block.hash)) return;
    this.#recent.set(block.hash, block);
    this.#recentCharacters += charactersOf(block);
    for (const [hash, oldest] of this.#recent) {
      const fits = this.#recent.size <= RECENT_BLOCKS && this.#recentCharacters <= RECENT_CHARACTERS;
      if (fits || hash === block.hash) return;
      this.#recent.delete(hash);
      this.#recentCharacters -= charactersOf(oldest);
    }
  }
}

const charactersOf = ({ transactions }: Block): number => transactions.reduce((sum, { raw }) => sum + raw.length, 0);
