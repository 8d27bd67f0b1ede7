import type { Block as EvmBlock } from '@ethereumjs/block';
import type { EVM } from '@ethereumjs/evm';
import { Account, createAddressFromString } from '@ethereumjs/util';
import { type RunTxResult, runTx, type VM } from '@ethereumjs/vm';
import { systemAddresses } from '@openledger/chain-config';
import type { PutOp } from '@openledger/event-log';
import { type Address, bytesToHex, type Hex, hexToBytes, numberToBytes } from 'viem';
import { nodeError } from '../errors.ts';
import type { Withdrawal } from '../primitives/block.ts';
import { type Header, hashHeader, ZERO_HASH } from '../primitives/header.ts';
import { encodeReceipt, logsBloomOf, orBloom, type Receipt } from '../primitives/receipt.ts';
import type { L2Transaction, SignedL2Transaction } from '../primitives/transaction.ts';
import type { BlockStateManager } from '../state/blockStateManager.ts';
import { orderedTrieRoot } from '../state/orderedTrieRoot.ts';
import type { StateDiff } from '../state/stateChanges.ts';
import type { StateView } from '../state/stateStore.ts';
import type { BlockVm } from './chainRules.ts';
import { toLogs } from './executeDeposit.ts';
import { toTransactionError } from './transactionErrors.ts';

export type SealedBlock = {
  readonly hash: Hex;
  readonly header: Header;
  readonly transactions: readonly L2Transaction[];
  readonly receipts: readonly Receipt[];
  readonly withdrawals: readonly Withdrawal[];
  readonly uncles: readonly Header[];
  /** The new trie nodes and code, to be written with the block. */
  readonly stateWrites: readonly PutOp[];
};

/** The header as far as it is known before the transactions are executed. */
export type OpenHeader = Omit<
  Header,
  'stateRoot' | 'transactionsRoot' | 'receiptsRoot' | 'logsBloom' | 'gasUsed' | 'withdrawalsRoot' | 'blobGasUsed'
>;

const HISTORY_WINDOW = 8191n;

/**
 * One block being executed on its parent's state: apply transactions in order, then seal. Not reusable after `seal`. What a
 * chain does otherwise than others (deposits, fees, rewards) is in its subclass.
 */
export abstract class BlockExecution {
  protected readonly state: BlockStateManager;
  protected readonly vm: VM;
  protected readonly evm: EVM;
  protected readonly block: EvmBlock;
  readonly #view: StateView;
  readonly #transactions: L2Transaction[] = [];
  readonly #receipts: Receipt[] = [];
  readonly #bloom = new Uint8Array(256);
  #header: OpenHeader;
  protected gasUsed = 0n;

  constructor(view: StateView, { vm, block }: BlockVm, header: OpenHeader) {
    this.#view = view;
    this.state = view.manager;
    this.vm = vm;
    this.evm = vm.evm as EVM;
    this.block = block;
    this.#header = header;
  }

  get header(): OpenHeader {
    return this.#header;
  }

  /** The EVM, for those who only listen to it, and for simulations. */
  get machine(): EVM {
    return this.evm;
  }

  /** The block as the EVM sees it. */
  get environment(): EvmBlock {
    return this.block;
  }

  get gasLeft(): bigint {
    return this.header.gasLimit - this.gasUsed;
  }

  get transactionCount(): number {
    return this.#transactions.length;
  }

  protected get receipts(): readonly Receipt[] {
    return this.#receipts;
  }

  /** @throws TX_*, BLOCK_GAS_EXCEEDED: the transaction can't be part of this block, and the state is as before. */
  async apply(transaction: L2Transaction): Promise<Receipt> {
    const receipt = await this.execute(transaction);
    this.#append(transaction, receipt);
    return receipt;
  }

  /** Takes in a transaction that the caller executed on this block's state itself: simulated calls, which nobody signed. */
  include(transaction: L2Transaction, receipt: Omit<Receipt, 'cumulativeGasUsed'>): void {
    this.gasUsed += receipt.gasUsed;
    this.#append(transaction, { ...receipt, cumulativeGasUsed: this.gasUsed });
  }

  /** Other prices, in wei per gas, than follow from the parent; before the first transaction. Such a block is only simulated. */
  setPrices({ baseFeePerGas, blobBaseFee }: Record<'baseFeePerGas' | 'blobBaseFee', bigint | undefined>): void {
    if (baseFeePerGas !== undefined) {
      this.#header = { ...this.#header, baseFeePerGas };
      Object.assign(this.block.header, { baseFeePerGas });
    }
    if (blobBaseFee !== undefined) Object.assign(this.block.header, { getBlobGasPrice: () => blobBaseFee });
  }

  #append(transaction: L2Transaction, receipt: Receipt): void {
    this.#transactions.push(transaction);
    this.#receipts.push(receipt);
    orBloom(this.#bloom, hexToBytes(receipt.logsBloom));
  }

  /** The block as far as it is executed, between transactions. Roots come with `seal`; here they are zero. */
  peek(): Pick<SealedBlock, 'header' | 'transactions' | 'receipts'> {
    const header: Header = {
      ...this.header,
      stateRoot: ZERO_HASH,
      transactionsRoot: ZERO_HASH,
      receiptsRoot: ZERO_HASH,
      logsBloom: bytesToHex(this.#bloom),
      gasUsed: this.gasUsed,
      ...this.headerSoFar(),
    };
    return { header, transactions: this.#transactions.slice(), receipts: this.#receipts.slice() };
  }

  /** What was written to the state since the last call; the first only starts taking notes. Between transactions. */
  takeDiff(): Promise<StateDiff> {
    return this.state.takeDiff();
  }

  async nonceOf(address: Address): Promise<bigint> {
    return (await this.state.getAccount(createAddressFromString(address)))?.nonce ?? 0n;
  }

  async seal(): Promise<SealedBlock> {
    const { withdrawals, uncles } = await this.finish();
    await this.state.flush();
    const stateRoot = bytesToHex(await this.state.getStateRoot());
    const header: Header = {
      ...this.header,
      stateRoot,
      transactionsRoot: await orderedTrieRoot(this.#transactions.map((tx) => tx.raw)),
      receiptsRoot: await orderedTrieRoot(this.#receipts.map(encodeReceipt)),
      logsBloom: bytesToHex(this.#bloom),
      gasUsed: this.gasUsed,
      ...(await this.headerTail()),
    };
    return {
      hash: hashHeader(header),
      header,
      transactions: this.#transactions,
      receipts: this.#receipts,
      withdrawals,
      uncles,
      stateWrites: this.#view.writesFor(stateRoot),
    };
  }

  /** Executes one transaction and says what became of it. */
  protected abstract execute(transaction: L2Transaction): Promise<Receipt>;
  /** What happens after the last transaction; gives what the block carries beside transactions. */
  protected abstract finish(): Promise<Pick<SealedBlock, 'withdrawals' | 'uncles'>>;
  /** Of the header's tail, what is known before the block is sealed. */
  protected headerSoFar(): Partial<Pick<Header, 'withdrawalsRoot' | 'blobGasUsed'>> {
    return {};
  }
  /** Header fields that follow from execution; called after the state is flushed. */
  protected abstract headerTail(): Promise<Partial<Pick<Header, 'withdrawalsRoot' | 'blobGasUsed' | 'requestsHash'>>>;

  /** Runs a signed transaction by Ethereum's rules; on a refusal the state is as before. @throws TX_* */
  protected async runSigned(transaction: SignedL2Transaction): Promise<RunTxResult> {
    const { tx } = transaction;
    if (tx.gasLimit > this.gasLeft) {
      throw nodeError('BLOCK_GAS_EXCEEDED', 'gas limit is above what the block has left', { gasLimit: tx.gasLimit });
    }
    try {
      return await runTx(this.vm, { tx, block: this.block, skipHardForkValidation: true });
    } catch (cause) {
      throw toTransactionError(cause);
    }
  }

  /** The receipt of a transaction that was run; counts its gas. */
  protected receiptOf(
    transaction: SignedL2Transaction,
    result: RunTxResult,
  ): Omit<Receipt, 'depositNonce' | 'depositReceiptVersion' | 'fees'> {
    this.gasUsed += result.totalGasSpent;
    const success = result.execResult.exceptionError === undefined;
    const logs = success ? toLogs(result.execResult.logs) : [];
    return {
      type: transaction.tx.type,
      success,
      gasUsed: result.totalGasSpent,
      cumulativeGasUsed: this.gasUsed,
      effectiveGasPrice: effectiveGasPrice(transaction, this.header.baseFeePerGas),
      logsBloom: bytesToHex(logsBloomOf(logs)),
      logs,
      contractAddress: result.createdAddress ? (result.createdAddress.toString() as Hex) : null,
    };
  }

  protected async addBalance(who: Address, amount: bigint): Promise<void> {
    if (amount === 0n) return;
    const address = createAddressFromString(who);
    const account = (await this.state.getAccount(address)) ?? new Account();
    account.balance += amount;
    await this.state.putAccount(address, account);
  }

  /** EIP-4788 and EIP-2935, written as their system contracts would, when the fork and the contracts are there. */
  async beginSystemCalls(): Promise<void> {
    const { number, timestamp, parentHash, parentBeaconBlockRoot } = this.header;
    const { common } = this.vm;
    const word = (value: bigint) => numberToBytes(value, { size: 32 });
    const beacon = createAddressFromString(systemAddresses.beaconRoots);
    if (common.isActivatedEIP(4788) && parentBeaconBlockRoot && (await this.state.getCode(beacon)).length > 0) {
      const index = timestamp % HISTORY_WINDOW;
      await this.state.putStorage(beacon, word(index), trim(word(timestamp)));
      await this.state.putStorage(beacon, word(index + HISTORY_WINDOW), trim(hexToBytes(parentBeaconBlockRoot)));
    }
    const history = createAddressFromString(systemAddresses.historyStorage);
    if (common.isActivatedEIP(2935) && (await this.state.getCode(history)).length > 0) {
      await this.state.putStorage(history, word((number - 1n) % HISTORY_WINDOW), trim(hexToBytes(parentHash)));
    }
  }
}

/** Storage values are kept without leading zeros. */
const trim = (bytes: Uint8Array): Uint8Array => {
  const start = bytes.findIndex((byte) => byte !== 0);
  return start === -1 ? new Uint8Array() : bytes.subarray(start);
};

const effectiveGasPrice = ({ tx }: SignedL2Transaction, baseFee: bigint | undefined): bigint =>
  'maxFeePerGas' in tx ? (baseFee ?? 0n) + tx.getEffectivePriorityFee(baseFee ?? 0n) : tx.gasPrice;
