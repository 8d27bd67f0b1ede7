import { type Hex, numberToHex } from 'viem';
import type { Payload } from '../engine/executePayload.ts';
import { nodeError } from '../errors.ts';
import type { SealedBlock } from '../execution/blockExecution.ts';
import type { Withdrawal } from '../primitives/block.ts';
import { encodeWithdrawal } from '../primitives/encodeBlock.ts';
import { EMPTY_REQUESTS_HASH, EMPTY_UNCLES_HASH, type Header, hashHeader, ZERO_NONCE } from '../primitives/header.ts';
import type { Json } from '../rpc/format.ts';
import { toHexBytes, toQuantity } from '../rpc/params.ts';
import { orderedTrieRoot } from '../state/orderedTrieRoot.ts';

const q = (value: bigint): Hex => numberToHex(value);

/** ExecutionPayload of the version that the block's fields make it (execution-apis; `withdrawalsRoot` is OP's, since Isthmus). */
export const toPayloadJson = (
  block: Omit<SealedBlock, 'stateWrites' | 'receipts' | 'uncles'>,
): { [key: string]: Json } => {
  const { header } = block;
  return {
    parentHash: header.parentHash,
    feeRecipient: header.miner,
    stateRoot: header.stateRoot,
    receiptsRoot: header.receiptsRoot,
    logsBloom: header.logsBloom,
    prevRandao: header.mixHash,
    blockNumber: q(header.number),
    gasLimit: q(header.gasLimit),
    gasUsed: q(header.gasUsed),
    timestamp: q(header.timestamp),
    extraData: header.extraData,
    baseFeePerGas: q(header.baseFeePerGas ?? 0n),
    blockHash: block.hash,
    transactions: block.transactions.map(({ raw }) => raw),
    ...(header.withdrawalsRoot === undefined
      ? {}
      : {
          withdrawals: block.withdrawals.map(({ index, validatorIndex, address, amount }) => ({
            index: q(index),
            validatorIndex: q(validatorIndex),
            address,
            amount: q(amount),
          })),
        }),
    ...(header.blobGasUsed === undefined ? {} : { blobGasUsed: q(header.blobGasUsed) }),
    ...(header.excessBlobGas === undefined ? {} : { excessBlobGas: q(header.excessBlobGas) }),
    ...(header.requestsHash === undefined || !header.withdrawalsRoot
      ? {}
      : { withdrawalsRoot: header.withdrawalsRoot }),
  };
};

export const toWithdrawals = (value: unknown): Withdrawal[] => {
  if (!Array.isArray(value)) return [];
  return value.map((item: Record<string, unknown> | null) => ({
    index: toQuantity(item?.index, 0),
    validatorIndex: toQuantity(item?.validatorIndex, 0),
    address: toHexBytes(item?.address, 0, 20),
    amount: toQuantity(item?.amount, 0),
  }));
};

/**
 * Reads an ExecutionPayload; the header is put together from it and has to have the stated hash.
 * @throws -32602 on malformed fields, BLOCK_INVALID when the hash is another one
 */
export const fromPayloadJson = async (
  json: Readonly<Record<string, unknown>>,
  beside: { parentBeaconBlockRoot: Hex | undefined; hasRequests: boolean },
): Promise<Payload> => {
  const bytes = (name: string, length?: number) => toHexBytes(json[name], 0, length);
  const quantity = (name: string, bits = 64) => toQuantity(json[name], 0, bits);
  const transactions = (Array.isArray(json.transactions) ? json.transactions : []).map((raw) => toHexBytes(raw, 0));
  const withdrawals = toWithdrawals(json.withdrawals);
  const withdrawalsRoot =
    json.withdrawalsRoot == null
      ? await orderedTrieRoot(withdrawals.map(encodeWithdrawal))
      : bytes('withdrawalsRoot', 32);
  const header: Header = {
    parentHash: bytes('parentHash', 32),
    sha3Uncles: EMPTY_UNCLES_HASH,
    miner: bytes('feeRecipient', 20),
    stateRoot: bytes('stateRoot', 32),
    transactionsRoot: await orderedTrieRoot(transactions),
    receiptsRoot: bytes('receiptsRoot', 32),
    logsBloom: bytes('logsBloom', 256),
    difficulty: 0n,
    number: quantity('blockNumber'),
    gasLimit: quantity('gasLimit'),
    gasUsed: quantity('gasUsed'),
    timestamp: quantity('timestamp'),
    extraData: bytes('extraData'),
    mixHash: bytes('prevRandao', 32),
    nonce: ZERO_NONCE,
    baseFeePerGas: quantity('baseFeePerGas', 256),
    ...(json.withdrawals == null ? {} : { withdrawalsRoot }),
    ...(json.blobGasUsed == null ? {} : { blobGasUsed: quantity('blobGasUsed') }),
    ...(json.excessBlobGas == null ? {} : { excessBlobGas: quantity('excessBlobGas') }),
    ...(beside.parentBeaconBlockRoot ? { parentBeaconBlockRoot: beside.parentBeaconBlockRoot } : {}),
    ...(beside.hasRequests ? { requestsHash: EMPTY_REQUESTS_HASH } : {}),
  };
  const stated = bytes('blockHash', 32);
  const hash = hashHeader(header);
  if (hash !== stated)
    throw nodeError('BLOCK_INVALID', `blockhash mismatch, want ${stated}, got ${hash}`, { stated, hash });
  return { header, transactions, withdrawals };
};
