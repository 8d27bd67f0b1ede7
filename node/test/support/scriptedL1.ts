import type { BlockId } from '@openledger/chain-config';
import { type Hex, keccak256, numberToHex, zeroHash } from 'viem';
import type { L1Block, L1Source } from '../../src/l1/l1Source.ts';
import { type DepositTransaction, userDepositSourceHash } from '../../src/primitives/depositTransaction.ts';

export type Deposit = Pick<DepositTransaction, 'from' | 'to'> & Partial<Omit<DepositTransaction, 'from' | 'to'>>;

const GENESIS_TIME = 1_700_000_000n;

/** An L1 that does what the test says: blocks come from `mine`, and `reorgTo` takes them back. */
export class ScriptedL1 implements L1Source {
  #blocks: L1Block[] = [];
  readonly #deposits = new Map<Hex, DepositTransaction[]>();
  #fork = 0;
  /** Fees of the blocks to come, wei. */
  fees = { baseFee: 7n, blobBaseFee: 1n };
  /** Seconds between the blocks to come. */
  blockTime = 1n;
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

  mine(deposits: readonly Deposit[] = []): L1Block {
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
    this.#deposits.set(
      hash,
      deposits.map((deposit, index) => ({
        sourceHash: userDepositSourceHash(hash, BigInt(index)),
        mint: 0n,
        value: 0n,
        gas: 100_000n,
        isSystemTransaction: false,
        data: '0x',
        ...deposit,
      })),
    );
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

  async head(): Promise<L1Block> {
    return this.#answer(this.latest);
  }

  async blockByNumber(number: bigint): Promise<L1Block | undefined> {
    return this.#answer(this.#blocks[Number(number)]);
  }

  async blockByHash(hash: Hex): Promise<L1Block | undefined> {
    return this.#answer(this.#blocks.find((block) => block.hash === hash));
  }

  async deposits(block: BlockId): Promise<DepositTransaction[]> {
    return this.#answer(this.#deposits.get(block.hash) ?? []);
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
