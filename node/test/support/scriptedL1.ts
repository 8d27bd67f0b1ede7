import type { BlockId } from '@openledger/chain-config';
import {
  type Address,
  concatHex,
  encodeAbiParameters,
  type Hex,
  keccak256,
  numberToHex,
  pad,
  zeroAddress,
  zeroHash,
} from 'viem';
import { TRANSACTION_DEPOSITED_TOPIC } from '../../src/l1/deposits.ts';
import type { L1Block, L1Log, L1Receipt, L1Source, L1Transaction } from '../../src/l1/l1Source.ts';
import type { DepositTransaction } from '../../src/primitives/depositTransaction.ts';

export type Deposit = Pick<DepositTransaction, 'from' | 'to'> & Partial<Omit<DepositTransaction, 'from' | 'to'>>;

export type L1Extras = {
  readonly transactions?: readonly L1Transaction[];
  readonly logs?: readonly L1Log[];
  readonly blobs?: ReadonlyMap<Hex, Uint8Array>;
};

const GENESIS_TIME = 1_700_000_000n;

/** An L1 that does what the test says: blocks come from `mine`, and `reorgTo` takes them back. */
export class ScriptedL1 implements L1Source {
  #blocks: L1Block[] = [];
  readonly #logs = new Map<Hex, readonly L1Log[]>();
  readonly #transactions = new Map<Hex, readonly L1Transaction[]>();
  readonly #blobs = new Map<Hex, Uint8Array>();
  /** Where deposits are logged; the test genesis' portal. */
  readonly portal: Address = `0x${'14'.repeat(20)}`;
  #fork = 0;
  /** Fees of the blocks to come, wei. */
  fees = { baseFee: 7n, blobBaseFee: 1n };
  /** Seconds between the blocks to come. */
  blockTime = 1n;
  /** Number of the block that is final; the test moves it. */
  finalizedNumber = 0n;
  /** Set to make every call fail as an unreachable endpoint does. */
  failure: Error | undefined;

  constructor() {
    this.mine();
  }

  get genesis(): L1Block {
    return this.#at(0);
  }

  get latest(): L1Block {
    return this.#at(this.#blocks.length - 1);
  }

  /** The next block, with these user deposits, and whatever else the test puts on L1. Extra logs follow the deposits'. */
  mine(deposits: readonly Deposit[] = [], extra: L1Extras = {}): L1Block {
    const number = BigInt(this.#blocks.length);
    const hash = keccak256(`${numberToHex(number, { size: 8 })}${numberToHex(this.#fork, { size: 8 }).slice(2)}`);
    const block: L1Block = {
      number,
      hash,
      parentHash: this.#blocks.at(-1)?.hash ?? zeroHash,
      timestamp: (this.#blocks.at(-1)?.timestamp ?? GENESIS_TIME - this.blockTime) + this.blockTime,
      ...this.fees,
      prevRandao: keccak256(hash),
      parentBeaconBlockRoot: keccak256(keccak256(hash)),
    };
    this.#blocks.push(block);
    this.#logs.set(hash, [
      ...deposits.map((deposit, index) => this.#depositLog(deposit, index)),
      ...(extra.logs ?? []),
    ]);
    this.#transactions.set(hash, extra.transactions ?? []);
    for (const [versionedHash, blob] of extra.blobs ?? []) this.#blobs.set(versionedHash, blob);
    return block;
  }

  /** Another L1 altogether. */
  replaceGenesis(): void {
    this.#blocks = [];
    this.#fork++;
    this.mine();
  }

  reorgTo(number: bigint): void {
    this.#blocks = this.#blocks.slice(0, Number(number) + 1);
    this.#fork++;
  }

  async head(tag: 'latest' | 'safe' | 'finalized' = 'latest'): Promise<L1Block> {
    return this.#answer(tag === 'finalized' ? this.#at(Number(this.finalizedNumber)) : this.latest);
  }

  async blockByNumber(number: bigint): Promise<L1Block | undefined> {
    return this.#answer(this.#blocks[Number(number)]);
  }

  async blockByHash(hash: Hex): Promise<L1Block | undefined> {
    return this.#answer(this.#blocks.find((block) => block.hash === hash));
  }

  async transactions(block: BlockId): Promise<readonly L1Transaction[]> {
    return this.#answer(this.#transactions.get(block.hash) ?? []);
  }

  async receipts(block: BlockId): Promise<readonly L1Receipt[]> {
    return this.#answer([{ success: true, logs: this.#logs.get(block.hash) ?? [] }]);
  }

  async blobs(_block: L1Block, versionedHashes: readonly Hex[]): Promise<readonly Uint8Array[]> {
    return this.#answer(
      versionedHashes.map((hash) => {
        const blob = this.#blobs.get(hash);
        if (!blob) throw new RangeError(`no blob ${hash}`);
        return blob;
      }),
    );
  }

  #depositLog(deposit: Deposit, index: number): L1Log {
    const { from, to, mint = 0n, value = 0n, gas = 100_000n, data = '0x' } = deposit;
    const opaque = concatHex([
      numberToHex(mint, { size: 32 }),
      numberToHex(value, { size: 32 }),
      numberToHex(gas, { size: 8 }),
      to === null ? '0x01' : '0x00',
      data,
    ]);
    return {
      address: this.portal,
      topics: [TRANSACTION_DEPOSITED_TOPIC, pad(from, { size: 32 }), pad(to ?? zeroAddress, { size: 32 }), zeroHash],
      data: encodeAbiParameters([{ type: 'bytes' }], [opaque]),
      logIndex: BigInt(index),
    };
  }

  #at(index: number): L1Block {
    const block = this.#blocks[index];
    if (!block) throw new RangeError(`no L1 block ${index}`);
    return block;
  }

  #answer<T>(value: T): T {
    if (this.failure) throw this.failure;
    return value;
  }
}
