import { type Hex, numberToHex } from 'viem';
import type { Block, Withdrawal } from '../primitives/block.ts';
import { encodeBlock } from '../primitives/encodeBlock.ts';
import { hashHeader } from '../primitives/header.ts';
import type { L1FeeInfo, Log } from '../primitives/receipt.ts';
import { type L2Transaction, type SignedL2Transaction, transactionType } from '../primitives/transaction.ts';

const q = (value: bigint | number): Hex => numberToHex(value);
const hex = (bytes: Uint8Array): Hex => `0x${Buffer.from(bytes).toString('hex')}`;

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

type Placement = { readonly block: Block; readonly index: number };

/** A transaction as eth_getTransactionBy* shows it; without a placement it waits in the mempool. */
export const formatTransaction = (transaction: L2Transaction, placement?: Placement): Json => {
  const place = {
    blockHash: placement?.block.hash ?? null,
    blockNumber: placement ? q(placement.block.header.number) : null,
    blockTimestamp: placement ? q(placement.block.header.timestamp) : null,
    transactionIndex: placement ? q(placement.index) : null,
    hash: transaction.hash,
    from: transaction.from,
    type: q(transactionType(transaction)),
  };
  if (transaction.kind === 'deposit') {
    const { deposit } = transaction;
    const receipt = placement?.block.receipts[placement.index];
    return {
      ...place,
      to: deposit.to,
      value: q(deposit.value),
      gas: q(deposit.gas),
      gasPrice: '0x0',
      input: deposit.data,
      nonce: q(receipt?.depositNonce ?? 0n),
      mint: q(deposit.mint),
      sourceHash: deposit.sourceHash,
      isSystemTx: deposit.isSystemTransaction,
      depositReceiptVersion: '0x1',
      v: '0x0',
      r: '0x0',
      s: '0x0',
    };
  }
  return { ...place, ...formatSigned(transaction, placement) };
};

const formatSigned = ({ tx }: SignedL2Transaction, placement?: Placement): { [key: string]: Json } => {
  const baseFee = placement?.block.header.baseFeePerGas;
  const signature = { v: q(tx.v ?? 0n), r: q(tx.r ?? 0n), s: q(tx.s ?? 0n) };
  const common = {
    nonce: q(tx.nonce),
    to: tx.to ? tx.to.toString() : null,
    value: q(tx.value),
    gas: q(tx.gasLimit),
    input: hex(tx.data),
    ...signature,
  };
  if (!('accessList' in tx)) {
    return { ...common, gasPrice: q(tx.gasPrice), ...(tx.supports(155) ? { chainId: q(tx.common.chainId()) } : {}) };
  }
  const typed = {
    ...common,
    chainId: q(tx.chainId),
    yParity: q(tx.v ?? 0n),
    accessList: tx.accessList.map(([address, keys]) => ({ address: hex(address), storageKeys: keys.map(hex) })),
  };
  if (!('maxFeePerGas' in tx)) return { ...typed, gasPrice: q(tx.gasPrice) };
  const effective = baseFee === undefined ? tx.maxFeePerGas : baseFee + tx.getEffectivePriorityFee(baseFee);
  return {
    ...typed,
    maxFeePerGas: q(tx.maxFeePerGas),
    maxPriorityFeePerGas: q(tx.maxPriorityFeePerGas),
    gasPrice: q(effective),
    ...('authorizationList' in tx
      ? {
          authorizationList: tx.authorizationList.map(([chainId, address, nonce, yParity, r, s]) => ({
            chainId: toQuantityHex(chainId),
            address: hex(address),
            nonce: toQuantityHex(nonce),
            yParity: toQuantityHex(yParity),
            r: toQuantityHex(r),
            s: toQuantityHex(s),
          })),
        }
      : {}),
  };
};

const toQuantityHex = (bytes: Uint8Array): Hex => q(BigInt(bytes.length === 0 ? 0 : hex(bytes)));

/** Header fields in geth's names. */
export const formatHeader = (block: Block): { [key: string]: Json } => {
  const { header } = block;
  return {
    hash: block.hash,
    parentHash: header.parentHash,
    sha3Uncles: header.sha3Uncles,
    miner: header.miner,
    stateRoot: header.stateRoot,
    transactionsRoot: header.transactionsRoot,
    receiptsRoot: header.receiptsRoot,
    logsBloom: header.logsBloom,
    difficulty: q(header.difficulty),
    number: q(header.number),
    gasLimit: q(header.gasLimit),
    gasUsed: q(header.gasUsed),
    timestamp: q(header.timestamp),
    extraData: header.extraData,
    mixHash: header.mixHash,
    nonce: header.nonce,
    ...optional('baseFeePerGas', header.baseFeePerGas),
    ...optional('withdrawalsRoot', header.withdrawalsRoot),
    ...optional('blobGasUsed', header.blobGasUsed),
    ...optional('excessBlobGas', header.excessBlobGas),
    ...optional('parentBeaconBlockRoot', header.parentBeaconBlockRoot),
    ...optional('requestsHash', header.requestsHash),
  };
};

/** Left out where the block's fork doesn't have it. */
const optional = (name: string, value: bigint | number | Hex | null | undefined): { [key: string]: Json } => {
  if (value === undefined || value === null) return {};
  return { [name]: typeof value === 'string' ? value : q(value) };
};

export const formatBlock = (block: Block, full: boolean): Json => ({
  ...formatHeader(block),
  size: q((encodeBlock(block).length - 2) / 2),
  uncles: block.uncles.map(hashHeader),
  ...(block.header.withdrawalsRoot === undefined ? {} : { withdrawals: block.withdrawals.map(formatWithdrawal) }),
  transactions: block.transactions.map((tx, index) => (full ? formatTransaction(tx, { block, index }) : tx.hash)),
});

const formatWithdrawal = ({ index, validatorIndex, address, amount }: Withdrawal): Json => ({
  index: q(index),
  validatorIndex: q(validatorIndex),
  address,
  amount: q(amount),
});

/** Index of the first log of transaction `index` within its block. */
const firstLogIndex = (block: Block, index: number): number =>
  block.receipts.slice(0, index).reduce((sum, receipt) => sum + receipt.logs.length, 0);

export const formatLog = (
  log: Log,
  place: { block: Block; transactionIndex: number; transactionHash: Hex; logIndex: number; removed?: boolean },
): Json => ({
  address: log.address,
  topics: log.topics,
  data: log.data,
  blockNumber: q(place.block.header.number),
  blockHash: place.block.hash,
  blockTimestamp: q(place.block.header.timestamp),
  transactionHash: place.transactionHash,
  transactionIndex: q(place.transactionIndex),
  logIndex: q(place.logIndex),
  removed: place.removed ?? false,
});

export const formatReceipt = (block: Block, index: number): Json => {
  const transaction = block.transactions[index];
  const receipt = block.receipts[index];
  if (!transaction || !receipt) return null;
  const start = firstLogIndex(block, index);
  const { fees } = receipt;
  return {
    type: q(receipt.type),
    ...(receipt.postState ? { root: receipt.postState } : { status: receipt.success ? '0x1' : '0x0' }),
    cumulativeGasUsed: q(receipt.cumulativeGasUsed),
    logsBloom: receipt.logsBloom,
    logs: receipt.logs.map((log, i) =>
      formatLog(log, { block, transactionIndex: index, transactionHash: transaction.hash, logIndex: start + i }),
    ),
    transactionHash: transaction.hash,
    transactionIndex: q(index),
    blockHash: block.hash,
    blockNumber: q(block.header.number),
    gasUsed: q(receipt.gasUsed),
    effectiveGasPrice: q(receipt.effectiveGasPrice),
    from: transaction.from,
    to: transaction.kind === 'deposit' ? transaction.deposit.to : (transaction.tx.to?.toString() ?? null),
    contractAddress: receipt.contractAddress,
    ...optional('depositNonce', receipt.depositNonce),
    ...optional('depositReceiptVersion', receipt.depositReceiptVersion),
    ...(fees ? formatFees(fees) : {}),
  };
};

/** op-geth's names; `blobGasUsed` is the transaction's part of the DA footprint since Jovian. */
const formatFees = (fees: L1FeeInfo): { [key: string]: Json } => ({
  l1Fee: q(fees.l1Fee),
  l1GasUsed: q(fees.l1GasUsed),
  l1GasPrice: q(fees.l1GasPrice),
  ...(fees.l1FeeScalar === null ? {} : { l1FeeScalar: String(Number(fees.l1FeeScalar) / 1e6) }),
  ...optional('l1BlobBaseFee', fees.l1BlobBaseFee),
  ...optional('l1BaseFeeScalar', fees.l1BaseFeeScalar),
  ...optional('l1BlobBaseFeeScalar', fees.l1BlobBaseFeeScalar),
  ...optional('operatorFeeScalar', fees.operatorFeeScalar),
  ...optional('operatorFeeConstant', fees.operatorFeeConstant),
  ...optional('daFootprintGasScalar', fees.daFootprintGasScalar),
  ...(fees.daFootprintGasScalar === null ? {} : { blobGasUsed: q(fees.daFootprint) }),
});
