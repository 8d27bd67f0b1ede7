import { createBlock, type Block as EvmBlock } from '@ethereumjs/block';
import type { Common } from '@ethereumjs/common';
import type { EVM } from '@ethereumjs/evm';
import type { MerkleStateManager } from '@ethereumjs/statemanager';
import { Account, createAddressFromString } from '@ethereumjs/util';
import { createVM, runTx, type VM } from '@ethereumjs/vm';
import { isForkActive, opPredeploys, type RollupConfig, systemAddresses } from '@openledger/chain-config';
import type { PutOp } from '@openledger/event-log';
import { type Address, bytesToHex, type Hex, hexToBytes, numberToBytes } from 'viem';
import { nodeError } from '../errors.ts';
import { DEPOSIT_TYPE } from '../primitives/depositTransaction.ts';
import {
  EMPTY_REQUESTS_HASH,
  EMPTY_TRIE_ROOT,
  EMPTY_UNCLES_HASH,
  type Header,
  hashHeader,
  ZERO_NONCE,
} from '../primitives/header.ts';
import { encodeReceipt, logsBloomOf, orBloom, type Receipt } from '../primitives/receipt.ts';
import type { L2Transaction, SignedL2Transaction } from '../primitives/transaction.ts';
import { orderedTrieRoot } from '../state/orderedTrieRoot.ts';
import type { StateView } from '../state/stateStore.ts';
import { nextBaseFee } from './baseFee.ts';
import { executeDeposit, toLogs } from './executeDeposit.ts';
import {
  daFootprint,
  estimatedSizeScaled,
  type L1FeeParams,
  l1DataFee,
  operatorFee,
  readL1FeeParams,
} from './l1Cost.ts';
import { toTransactionError } from './transactionErrors.ts';

/** What the driver (sequencer or derivation) decides about a block. */
export type BlockAttributes = {
  readonly timestamp: bigint;
  readonly gasLimit: bigint;
  readonly prevRandao: Hex;
  readonly feeRecipient: Address;
  readonly parentBeaconBlockRoot: Hex;
  readonly extraData: Hex;
};

export type SealedBlock = {
  readonly hash: Hex;
  readonly header: Header;
  readonly transactions: readonly L2Transaction[];
  readonly receipts: readonly Receipt[];
  /** The new trie nodes and code, to be written with the block. */
  readonly stateWrites: readonly PutOp[];
};

export type BlockHashes = { hashOf(number: bigint): Promise<Hex | undefined> };

const address = (value: Address) => createAddressFromString(value);
const vaults = {
  baseFee: address(opPredeploys.baseFeeVault),
  l1Fee: address(opPredeploys.l1FeeVault),
  operatorFee: address(opPredeploys.operatorFeeVault),
};
const messagePasser = address(opPredeploys.l2ToL1MessagePasser);
const HISTORY_WINDOW = 8191n;

/** One block being executed on its parent's state: apply transactions in order, then seal. Not reusable after `seal`. */
export class BlockExecution {
  readonly #view: StateView;
  readonly #state: MerkleStateManager;
  readonly #vm: VM;
  readonly #evm: EVM;
  readonly #block: EvmBlock;
  readonly #base: Omit<
    Header,
    'stateRoot' | 'transactionsRoot' | 'receiptsRoot' | 'logsBloom' | 'gasUsed' | 'withdrawalsRoot' | 'blobGasUsed'
  >;
  readonly #transactions: L2Transaction[] = [];
  readonly #receipts: Receipt[] = [];
  readonly #bloom = new Uint8Array(256);
  #gasUsed = 0n;
  #daFootprint = 0n;
  #feeParams: L1FeeParams | undefined;

  private constructor(view: StateView, vm: VM, block: EvmBlock, base: BlockExecution['baseHeader']) {
    this.#view = view;
    this.#state = view.manager;
    this.#vm = vm;
    this.#evm = vm.evm as EVM;
    this.#block = block;
    this.#base = base;
  }

  get baseHeader() {
    return this.#base;
  }

  static async begin(options: {
    config: RollupConfig;
    common: Common;
    view: StateView;
    parent: Header;
    attributes: BlockAttributes;
    blockHashes: BlockHashes;
  }): Promise<BlockExecution> {
    const { config, common, view, parent, attributes, blockHashes } = options;
    if (!isForkActive(config.forks, 'jovian', attributes.timestamp)) {
      throw nodeError('BLOCK_INVALID', 'blocks before Jovian are not supported', { timestamp: attributes.timestamp });
    }
    const base = {
      parentHash: hashHeader(parent),
      sha3Uncles: EMPTY_UNCLES_HASH,
      miner: attributes.feeRecipient,
      difficulty: 0n,
      number: parent.number + 1n,
      gasLimit: attributes.gasLimit,
      timestamp: attributes.timestamp,
      extraData: attributes.extraData,
      mixHash: attributes.prevRandao,
      nonce: ZERO_NONCE,
      baseFeePerGas: nextBaseFee(parent),
      excessBlobGas: 0n,
      parentBeaconBlockRoot: attributes.parentBeaconBlockRoot,
      requestsHash: EMPTY_REQUESTS_HASH,
    } as const;
    const { vm, block } = await createBlockVm({ common, state: view.manager, base, blockHashes });
    const execution = new BlockExecution(view, vm, block, base);
    await execution.#systemCalls();
    return execution;
  }

  get gasLeft(): bigint {
    return this.#base.gasLimit - this.#gasUsed;
  }

  get transactionCount(): number {
    return this.#transactions.length;
  }

  /** @throws TX_*, BLOCK_GAS_EXCEEDED: the transaction can't be part of this block, and the state is as before. */
  async apply(transaction: L2Transaction): Promise<Receipt> {
    const receipt =
      transaction.kind === 'deposit' ? await this.#applyDeposit(transaction) : await this.#applySigned(transaction);
    this.#transactions.push(transaction);
    this.#receipts.push(receipt);
    orBloom(this.#bloom, hexToBytes(receipt.logsBloom));
    return receipt;
  }

  async seal(): Promise<SealedBlock> {
    await this.#state.flush();
    const stateRoot = bytesToHex(await this.#state.getStateRoot());
    const passer = await this.#state.getAccount(messagePasser);
    const header: Header = {
      ...this.#base,
      stateRoot,
      transactionsRoot: await orderedTrieRoot(this.#transactions.map((tx) => tx.raw)),
      receiptsRoot: await orderedTrieRoot(this.#receipts.map(encodeReceipt)),
      logsBloom: bytesToHex(this.#bloom),
      gasUsed: this.#gasUsed,
      withdrawalsRoot: passer ? bytesToHex(passer.storageRoot) : EMPTY_TRIE_ROOT,
      blobGasUsed: this.#daFootprint,
    };
    return {
      hash: hashHeader(header),
      header,
      transactions: this.#transactions,
      receipts: this.#receipts,
      stateWrites: this.#view.writesFor(stateRoot),
    };
  }

  async #applyDeposit(transaction: Extract<L2Transaction, { kind: 'deposit' }>): Promise<Receipt> {
    if (this.#feeParams) throw nodeError('DEPOSITS_INVALID', 'a deposit stands behind a signed transaction');
    const { deposit } = transaction;
    if (deposit.gas > this.gasLeft) {
      throw nodeError('DEPOSITS_INVALID', 'deposits exceed the block gas limit', { gas: deposit.gas });
    }
    const outcome = await executeDeposit(this.#evm, this.#state, this.#block, deposit);
    this.#gasUsed += outcome.gasUsed;
    return {
      type: DEPOSIT_TYPE,
      success: outcome.success,
      gasUsed: outcome.gasUsed,
      cumulativeGasUsed: this.#gasUsed,
      effectiveGasPrice: 0n,
      logsBloom: bytesToHex(logsBloomOf(outcome.logs)),
      logs: outcome.logs,
      contractAddress: outcome.contractAddress,
      depositNonce: outcome.depositNonce,
      fees: null,
    };
  }

  async #applySigned(transaction: SignedL2Transaction): Promise<Receipt> {
    const { tx } = transaction;
    if (tx.gasLimit > this.gasLeft) {
      throw nodeError('BLOCK_GAS_EXCEEDED', 'gas limit is above what the block has left', { gasLimit: tx.gasLimit });
    }
    this.#feeParams ??= await readL1FeeParams(this.#state);
    const params = this.#feeParams;
    const size = estimatedSizeScaled(hexToBytes(transaction.raw));
    const footprint = daFootprint(size, params);
    if (this.#daFootprint + footprint > this.#base.gasLimit) {
      throw nodeError('BLOCK_GAS_EXCEEDED', 'the block has no data availability left', { footprint });
    }
    const l1Fee = l1DataFee(size, params);
    const prepaid = l1Fee + operatorFee(tx.gasLimit, params);
    const sender = address(transaction.from);
    const before = (await this.#state.getAccount(sender)) ?? new Account();
    if (before.balance < prepaid) {
      throw nodeError('TX_INSUFFICIENT_FUNDS', 'insufficient funds for gas * price + value', {
        balance: before.balance,
      });
    }
    await this.#addBalance(transaction.from, -prepaid);
    const result = await runTx(this.#vm, { tx, block: this.#block, skipHardForkValidation: true }).catch(
      async (cause) => {
        await this.#addBalance(transaction.from, prepaid);
        throw toTransactionError(cause);
      },
    );
    const gasUsed = result.totalGasSpent;
    const paidOperatorFee = operatorFee(gasUsed, params);
    await this.#addBalance(transaction.from, prepaid - l1Fee - paidOperatorFee);
    await this.#addBalance(vaults.baseFee.toString() as Address, gasUsed * this.#base.baseFeePerGas);
    await this.#addBalance(vaults.l1Fee.toString() as Address, l1Fee);
    await this.#addBalance(vaults.operatorFee.toString() as Address, paidOperatorFee);
    this.#gasUsed += gasUsed;
    this.#daFootprint += footprint;
    const success = result.execResult.exceptionError === undefined;
    const logs = success ? toLogs(result.execResult.logs) : [];
    return {
      type: tx.type,
      success,
      gasUsed,
      cumulativeGasUsed: this.#gasUsed,
      effectiveGasPrice: effectiveGasPrice(transaction, this.#base.baseFeePerGas),
      logsBloom: bytesToHex(logsBloomOf(logs)),
      logs,
      contractAddress: result.createdAddress ? (result.createdAddress.toString() as Hex) : null,
      depositNonce: null,
      fees: {
        l1Fee,
        l1GasUsed: (size * 16n) / 1_000_000n,
        l1GasPrice: params.baseFee,
        l1BlobBaseFee: params.blobBaseFee,
        l1BaseFeeScalar: params.baseFeeScalar,
        l1BlobBaseFeeScalar: params.blobBaseFeeScalar,
        operatorFee: paidOperatorFee,
        operatorFeeScalar: params.operatorFeeScalar,
        operatorFeeConstant: params.operatorFeeConstant,
        daFootprintGasScalar: params.daFootprintGasScalar,
        daFootprint: footprint,
      },
    };
  }

  async #addBalance(who: Address, amount: bigint): Promise<void> {
    if (amount === 0n) return;
    const account = (await this.#state.getAccount(address(who))) ?? new Account();
    account.balance += amount;
    await this.#state.putAccount(address(who), account);
  }

  /** EIP-2935 and EIP-4788, written as their system contracts would, when they are there. */
  async #systemCalls(): Promise<void> {
    const { number, timestamp, parentHash, parentBeaconBlockRoot } = this.#base;
    const word = (value: bigint) => numberToBytes(value, { size: 32 });
    const history = address(systemAddresses.historyStorage);
    if ((await this.#state.getCode(history)).length > 0) {
      await this.#state.putStorage(history, word((number - 1n) % HISTORY_WINDOW), trim(hexToBytes(parentHash)));
    }
    const beacon = address(systemAddresses.beaconRoots);
    if ((await this.#state.getCode(beacon)).length > 0) {
      const index = timestamp % HISTORY_WINDOW;
      await this.#state.putStorage(beacon, word(index), trim(word(timestamp)));
      await this.#state.putStorage(beacon, word(index + HISTORY_WINDOW), trim(hexToBytes(parentBeaconBlockRoot)));
    }
  }
}

/** Storage values are kept without leading zeros. */
const trim = (bytes: Uint8Array): Uint8Array => {
  const start = bytes.findIndex((byte) => byte !== 0);
  return start === -1 ? new Uint8Array() : bytes.subarray(start);
};

const effectiveGasPrice = ({ tx }: SignedL2Transaction, baseFee: bigint): bigint =>
  'maxFeePerGas' in tx ? baseFee + tx.getEffectivePriorityFee(baseFee) : tx.gasPrice;

/** An EthereumJS VM over `state` whose environment is the block described by `base`. */
export const createBlockVm = async (options: {
  common: Common;
  state: MerkleStateManager;
  base: Pick<Header, 'miner' | 'number' | 'gasLimit' | 'timestamp' | 'mixHash' | 'baseFeePerGas'>;
  blockHashes: BlockHashes;
}): Promise<{ vm: VM; block: EvmBlock }> => {
  const { common, state, base, blockHashes } = options;
  const block = createBlock(
    {
      header: {
        coinbase: address(base.miner),
        number: base.number,
        gasLimit: base.gasLimit,
        timestamp: base.timestamp,
        mixHash: hexToBytes(base.mixHash),
        baseFeePerGas: base.baseFeePerGas,
        excessBlobGas: 0n,
        blobGasUsed: 0n,
      },
    },
    { common, skipConsensusFormatValidation: true, freeze: false },
  );
  const blockchain = {
    getBlock: async (id: number) => {
      const hash = await blockHashes.hashOf(BigInt(id));
      return { hash: () => hexToBytes(hash ?? `0x${'00'.repeat(32)}`) };
    },
    shallowCopy: () => blockchain,
  };
  const vm = await createVM({ common, stateManager: state, blockchain: blockchain as never });
  return { vm, block };
};
