import type { BlockId } from '@openledger/chain-config';
import {
  type Address,
  concatHex,
  fromRlp,
  type Hex,
  hexToBytes,
  keccak256,
  numberToHex,
  parseTransaction,
  toRlp,
} from 'viem';
import { nodeError } from '../../src/errors.ts';
import type { L1Fees, L1Inclusion, L1Sender } from '../../src/l1/l1Sender.ts';

export type PoolTx = {
  readonly hash: Hex;
  readonly nonce: bigint;
  readonly to: Address;
  readonly data: Hex;
  readonly blobs: readonly Uint8Array[];
  readonly versionedHashes: readonly Hex[];
  readonly tip: bigint;
  readonly maxFee: bigint;
  readonly blobFee: bigint;
  readonly gas: bigint;
};

type BlobFields = { blobVersionedHashes?: readonly Hex[] | undefined; maxFeePerBlobGas?: bigint | undefined };

/** Taken from the network form when it has blobs. */
const decodeSent = (raw: Hex): PoolTx => {
  const isBlob = raw.startsWith('0x03');
  const parts = isBlob ? (fromRlp(`0x${raw.slice(4)}`, 'hex') as [Hex[], Hex[] | Hex, Hex[]]) : undefined;
  const bare = parts ? concatHex(['0x03', toRlp(parts[0])]) : raw;
  const tx: BlobFields & ReturnType<typeof parseTransaction<`0x02${string}`>> = parseTransaction(
    bare as `0x02${string}`,
  );
  const blobs = parts ? (typeof parts[1] === 'string' ? parts[2] : parts[1]) : [];
  return {
    hash: keccak256(bare),
    nonce: BigInt(tx.nonce ?? 0),
    to: tx.to?.toLowerCase() as Address,
    data: tx.data ?? '0x',
    blobs: blobs.map((blob) => hexToBytes(blob)),
    versionedHashes: tx.blobVersionedHashes ?? [],
    tip: tx.maxPriorityFeePerGas ?? 0n,
    maxFee: tx.maxFeePerGas ?? 0n,
    blobFee: tx.maxFeePerBlobGas ?? 0n,
    gas: tx.gas ?? 0n,
  };
};

type FakeBlock = BlockId & { readonly txs: readonly PoolTx[] };

/** An L1 of one account: a pool with geth's rules and blocks, which come and go as the test says. */
export class FakeL1Pool implements L1Sender {
  readonly pool = new Map<bigint, PoolTx>();
  blocks: FakeBlock[] = [{ number: 0n, hash: keccak256('0x00'), txs: [] }];
  current: L1Fees = { baseFee: 10n ** 9n, tip: 10n ** 9n, blobBaseFee: 1n };
  funds = 10n ** 20n;
  /** Runs before every call with its name; may throw, as a crash or an endpoint does. */
  before: (call: string) => void = () => {};
  #fork = 0;

  get included(): PoolTx[] {
    return this.blocks.flatMap(({ txs }) => txs);
  }

  get latest(): FakeBlock {
    const block = this.blocks.at(-1);
    if (!block) throw new RangeError('no blocks');
    return block;
  }

  /** A block with whatever of the pool is next in nonce and pays the base fee. */
  mine(): FakeBlock {
    const txs: PoolTx[] = [];
    for (let nonce = this.#nonce(); ; nonce++) {
      const tx = this.pool.get(nonce);
      if (!tx || tx.maxFee < this.current.baseFee) break;
      this.pool.delete(nonce);
      txs.push(tx);
    }
    const number = BigInt(this.blocks.length);
    const hash = keccak256(numberToHex(number * 1000n + BigInt(this.#fork), { size: 32 }));
    const block = { number, hash, txs };
    this.blocks.push(block);
    return block;
  }

  /** Blocks are taken back; their transactions are forgotten. */
  reorg(depth: number): void {
    this.blocks = this.blocks.slice(0, -depth);
    this.#fork++;
  }

  /** Somebody else with the account's key. */
  stranger(): void {
    const nonce = this.#nonce();
    const tx = { hash: keccak256(numberToHex(nonce, { size: 32 })), nonce, to: '0x', data: '0x', blobs: [] } as unknown;
    this.pool.set(nonce, { ...(tx as PoolTx), maxFee: 10n ** 18n, tip: 0n, blobFee: 0n, gas: 0n, versionedHashes: [] });
    this.mine();
  }

  async chainId(): Promise<number> {
    return 900;
  }
  async nonce(): Promise<bigint> {
    this.before('nonce');
    return this.#nonce();
  }
  async balance(): Promise<bigint> {
    this.before('balance');
    return this.funds;
  }
  async fees(): Promise<L1Fees> {
    this.before('fees');
    return this.current;
  }
  async head(): Promise<BlockId> {
    this.before('head');
    const { number, hash } = this.latest;
    return { number, hash };
  }
  async isKnown(hash: Hex): Promise<boolean> {
    this.before('isKnown');
    return [...this.pool.values(), ...this.included].some((tx) => tx.hash === hash);
  }
  async inclusion(hash: Hex): Promise<L1Inclusion | undefined> {
    this.before('inclusion');
    const block = this.blocks.find(({ txs }) => txs.some((tx) => tx.hash === hash));
    return block && { block: { number: block.number, hash: block.hash }, success: true, cost: 21_000n };
  }

  async sendRaw(raw: Hex): Promise<void> {
    this.before('sendRaw');
    const tx = decodeSent(raw);
    if (tx.nonce < this.#nonce()) throw nodeError('L1_TX_NONCE_USED', 'nonce too low');
    if (tx.gas * tx.maxFee > this.funds) throw nodeError('L1_INSUFFICIENT_FUNDS', 'insufficient funds');
    const old = this.pool.get(tx.nonce);
    if (old?.hash !== tx.hash) {
      const percent = tx.blobs.length > 0 ? 200n : 110n;
      const enough = (now: bigint, then: bigint) => now * 100n >= then * percent;
      const replaces =
        !old || (enough(tx.tip, old.tip) && enough(tx.maxFee, old.maxFee) && enough(tx.blobFee, old.blobFee));
      if (!replaces) throw nodeError('L1_TX_UNDERPRICED', 'replacement transaction underpriced');
      this.pool.set(tx.nonce, tx);
    }
    this.before('sent');
  }

  #nonce(): bigint {
    return BigInt(this.included.length);
  }
}
