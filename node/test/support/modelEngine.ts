import type { BlockId, RollupConfig } from '@openledger/chain-config';
import { concatHex, type Hex, keccak256, numberToHex, zeroAddress, zeroHash } from 'viem';
import type { Heads } from '../../src/chain/chainStore.ts';
import type { DerivationEngine } from '../../src/derivation/driver.ts';
import { nodeError } from '../../src/errors.ts';
import type { SealedBlock } from '../../src/execution/blockExecution.ts';
import type { BlockAttributes } from '../../src/execution/chainRules.ts';
import { type Block, blockIdOf } from '../../src/primitives/block.ts';
import type { Header } from '../../src/primitives/header.ts';
import { parseL1Attributes } from '../../src/primitives/l1Attributes.ts';
import type { Receipt } from '../../src/primitives/receipt.ts';
import type { L2Transaction } from '../../src/primitives/transaction.ts';

/**
 * An engine without a state: a block's hash is that of its parent, attributes and transactions, and a transaction is invalid when
 * the test says so. It keeps the invariants of heads that the real one has. For tests that need thousands of chains.
 */
export class ModelEngine implements DerivationEngine {
  readonly config: RollupConfig;
  readonly #blocks = new Map<Hex, Block>();
  #canonical: Hex[] = [];
  #heads: Heads;
  /** Raw transactions that no block may have. */
  readonly #invalid: ReadonlySet<Hex>;

  constructor(
    config: Omit<RollupConfig, 'genesis'> & { genesis: Omit<RollupConfig['genesis'], 'l2'> },
    invalid: Iterable<Hex> = [],
  ) {
    const { l1, l2Time: timestamp } = config.genesis;
    const header = { ...emptyHeader, number: 0n, timestamp };
    const genesis: Block = {
      hash: keccak256(concatHex([l1.hash, numberToHex(timestamp, { size: 32 })])),
      header,
      transactions: [],
      receipts: [],
      withdrawals: [],
      uncles: [],
      l1Origin: l1,
      sequenceNumber: 0n,
    };
    const l2 = { hash: genesis.hash, number: 0n };
    this.config = { ...config, genesis: { ...config.genesis, l2 } };
    this.#invalid = new Set(invalid);
    this.#blocks.set(genesis.hash, genesis);
    this.#canonical = [genesis.hash];
    this.#heads = { unsafe: l2, safe: l2, finalized: l2 };
  }

  get heads(): Heads {
    return this.#heads;
  }

  readonly chain = {
    blockByHash: async (hash: Hex) => this.#blocks.get(hash),
    blockByNumber: async (number: bigint) => this.#blocks.get(this.#canonical[Number(number)] ?? '0x'),
    isCanonical: async ({ hash, number }: BlockId) => this.#canonical[Number(number)] === hash,
  };

  readonly rules = {
    decodeTransaction: (raw: Hex): L2Transaction =>
      ({ kind: 'signed', raw, hash: keccak256(raw), from: zeroAddress }) as unknown as L2Transaction,
  };

  async begin(parentHash: Hex, attributes: BlockAttributes) {
    const parent = this.#require(parentHash);
    const transactions: L2Transaction[] = [];
    return {
      apply: async (transaction: L2Transaction): Promise<Receipt> => {
        if (this.#invalid.has(transaction.raw)) throw nodeError('TX_INVALID', 'the test says so');
        transactions.push(transaction);
        return {} as Receipt;
      },
      seal: async (): Promise<SealedBlock> => seal(parent, attributes, transactions),
    };
  }

  async insert(sealed: SealedBlock): Promise<Block> {
    const { hash, header, transactions } = sealed;
    const parentNumber = Number(header.number) - 1;
    if (this.#canonical[parentNumber] !== header.parentHash || header.number <= this.#heads.safe.number) {
      throw nodeError('BLOCK_INVALID', 'not on a canonical block at or above the safe head');
    }
    const first = transactions[0];
    if (first?.kind !== 'deposit') throw nodeError('BLOCK_INVALID', 'no L1 attributes');
    const { origin, sequenceNumber } = parseL1Attributes(first.deposit);
    const block: Block = {
      hash,
      header,
      transactions,
      receipts: [],
      withdrawals: [],
      uncles: [],
      l1Origin: origin,
      sequenceNumber,
    };
    this.#blocks.set(hash, block);
    this.#canonical = [...this.#canonical.slice(0, parentNumber + 1), hash];
    this.#heads = { ...this.#heads, unsafe: { hash, number: header.number } };
    return block;
  }

  async setUnsafeHead(hash: Hex): Promise<void> {
    const path: Block[] = [];
    let block = this.#require(hash);
    while (this.#canonical[Number(block.header.number)] !== block.hash) {
      path.unshift(block);
      block = this.#require(block.header.parentHash);
    }
    const kept = this.#canonical.slice(0, Number(block.header.number) + 1);
    this.#canonical = [...kept, ...path.map((next) => next.hash)];
    const head = path.at(-1) ?? block;
    this.#heads = { ...this.#heads, unsafe: blockIdOf(head) };
  }

  async setHeads(update: { safe?: BlockId; finalized?: BlockId }): Promise<void> {
    const heads = { ...this.#heads, ...update };
    const { unsafe, safe, finalized } = heads;
    const canonical = [unsafe, safe, finalized].every(({ hash, number }) => this.#canonical[Number(number)] === hash);
    const ordered = finalized.number <= safe.number && safe.number <= unsafe.number;
    if (!canonical || !ordered || finalized.number < this.#heads.finalized.number) {
      throw nodeError('STORE_CORRUPT', 'finalized <= safe <= unsafe does not hold');
    }
    this.#heads = heads;
  }

  #require(hash: Hex): Block {
    const block = this.#blocks.get(hash);
    if (!block) throw nodeError('BLOCK_UNKNOWN_PARENT', `no block ${hash}`);
    return block;
  }
}

const emptyHeader: Header = {
  parentHash: zeroHash,
  sha3Uncles: zeroHash,
  miner: zeroAddress,
  stateRoot: zeroHash,
  transactionsRoot: zeroHash,
  receiptsRoot: zeroHash,
  logsBloom: '0x',
  difficulty: 0n,
  number: 0n,
  gasLimit: 0n,
  gasUsed: 0n,
  timestamp: 0n,
  extraData: '0x',
  mixHash: zeroHash,
  nonce: '0x0000000000000000',
  baseFeePerGas: 0n,
};

const seal = (parent: Block, attributes: BlockAttributes, transactions: L2Transaction[]): SealedBlock => {
  const { timestamp, gasLimit, prevRandao, feeRecipient, parentBeaconBlockRoot, extraData } = attributes;
  const root = keccak256(concatHex(transactions.map(({ hash }) => hash)));
  const header: Header = {
    ...emptyHeader,
    parentHash: parent.hash,
    number: parent.header.number + 1n,
    timestamp,
    gasLimit,
    extraData,
    miner: feeRecipient,
    mixHash: prevRandao,
    transactionsRoot: root,
    ...(parentBeaconBlockRoot ? { parentBeaconBlockRoot } : {}),
  };
  const hash = keccak256(
    concatHex([parent.hash, root, prevRandao, extraData, numberToHex(timestamp, { size: 32 }), numberToHex(gasLimit)]),
  );
  return {
    hash,
    header,
    transactions,
    receipts: [],
    withdrawals: [],
    uncles: [],
    stateWrites: [],
  } as unknown as SealedBlock;
};
