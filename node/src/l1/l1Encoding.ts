import { type Address, bytesToHex, concatHex, type Hex, hexToBigInt, hexToBytes, numberToHex, toRlp } from 'viem';
import { keccak256Bytes, recoverPublicKey } from '../primitives/crypto.ts';
import type { RpcHeader, RpcReceipt, RpcTransaction, RpcWithdrawal } from './rpcTypes.ts';

type Rlp = Hex | readonly Rlp[];

const rlp = (value: Rlp): Hex => toRlp(value as Parameters<typeof toRlp>[0]) as Hex;
const keccak = (value: Hex): Hex => bytesToHex(keccak256Bytes(hexToBytes(value)));
/** An RLP integer. Throws when the quantity is missing: the endpoint left out what the encoding needs. */
const integer = (quantity: Hex | bigint | null | undefined): Hex => {
  if (quantity === null || quantity === undefined) throw new TypeError('a quantity is missing');
  const value = BigInt(quantity);
  return value === 0n ? '0x' : numberToHex(value);
};
const required = (value: Hex | null | undefined): Hex => {
  if (value === null || value === undefined) throw new TypeError('a field is missing');
  return value;
};

/** Hash of an L1 header of any fork up to Osaka; each fork since London appended fields, so there are no gaps in them. */
export const hashL1Header = (h: RpcHeader): Hex => {
  const appended: (Hex | undefined)[] = [
    h.baseFeePerGas && integer(h.baseFeePerGas),
    h.withdrawalsRoot,
    h.blobGasUsed && integer(h.blobGasUsed),
    h.excessBlobGas && integer(h.excessBlobGas),
    h.parentBeaconBlockRoot,
    h.requestsHash,
  ].map((field) => field ?? undefined);
  const last = appended.findLastIndex((field) => field !== undefined);
  return keccak(
    rlp([
      h.parentHash,
      h.sha3Uncles,
      h.miner,
      h.stateRoot,
      h.transactionsRoot,
      h.receiptsRoot,
      h.logsBloom,
      integer(h.difficulty),
      integer(h.number),
      integer(h.gasLimit),
      integer(h.gasUsed),
      integer(h.timestamp),
      h.extraData,
      h.mixHash,
      h.nonce,
      ...appended.slice(0, last + 1).map(required),
    ]),
  );
};

/** The fields that a transaction's sender signs, by type (EIP-155, 2930, 1559, 4844, 7702). */
const signedFields = (tx: RpcTransaction, type: number): readonly Rlp[] => {
  const call = [integer(tx.gas), tx.to ?? '0x', integer(tx.value), tx.input] as const;
  if (type === 0) return [integer(tx.nonce), integer(tx.gasPrice), ...call];
  const access = (tx.accessList ?? []).map(({ address, storageKeys }) => [address, storageKeys]);
  if (type === 1) return [integer(tx.chainId), integer(tx.nonce), integer(tx.gasPrice), ...call, access];
  const fees = [integer(tx.maxPriorityFeePerGas), integer(tx.maxFeePerGas)] as const;
  const dynamic = [integer(tx.chainId), integer(tx.nonce), ...fees, ...call, access] as const;
  if (type === 2) return dynamic;
  if (type === 3) return [...dynamic, integer(tx.maxFeePerBlobGas), tx.blobVersionedHashes ?? []];
  if (type === 4) {
    const authorizations = (tx.authorizationList ?? []).map((a) => [
      integer(a.chainId),
      a.address,
      integer(a.nonce),
      integer(a.yParity),
      integer(a.r),
      integer(a.s),
    ]);
    return [...dynamic, authorizations];
  }
  throw new TypeError(`transaction type ${type} is unknown`);
};

const envelope = (type: number, fields: readonly Rlp[]): Hex =>
  type === 0 ? rlp(fields) : concatHex([numberToHex(type, { size: 1 }), rlp(fields)]);

export type EncodedL1Transaction = { readonly raw: Hex; readonly hash: Hex; readonly type: number; from(): Address };

/** A transaction's consensus encoding and hash; `from` recovers who signed it. */
export const encodeL1Transaction = (tx: RpcTransaction): EncodedL1Transaction => {
  const type = Number(tx.type ?? '0x0');
  const fields = signedFields(tx, type);
  const v = BigInt(required(type === 0 ? tx.v : (tx.yParity ?? tx.v)));
  const raw = envelope(type, [...fields, integer(v), integer(tx.r), integer(tx.s)]);
  const isProtected = type === 0 && v >= 35n;
  const signed = isProtected ? [...fields, integer((v - 35n) / 2n), '0x', '0x'] : fields;
  const yParity = type !== 0 ? v : isProtected ? (v - 35n) % 2n : v - 27n;
  return {
    raw,
    hash: keccak(raw),
    type,
    from: () => {
      const digest = hexToBytes(keccak(envelope(type, signed as readonly Rlp[])));
      const [r, s] = [tx.r, tx.s].map((part) => hexToBytes(numberToHex(hexToBigInt(part), { size: 32 })));
      if (!r || !s || (yParity !== 0n && yParity !== 1n)) throw new TypeError('a signature is malformed');
      return bytesToHex(keccak256Bytes(recoverPublicKey(digest, r, s, yParity === 0n ? 0 : 1)).subarray(12)) as Address;
    },
  };
};

export const encodeL1Receipt = (receipt: RpcReceipt): Hex =>
  envelope(Number(receipt.type ?? '0x0'), [
    receipt.status === undefined ? required(receipt.root) : integer(receipt.status),
    integer(receipt.cumulativeGasUsed),
    receipt.logsBloom,
    receipt.logs.map(({ address, topics, data }) => [address, topics, data]),
  ]);

export const encodeWithdrawal = ({ index, validatorIndex, address, amount }: RpcWithdrawal): Hex =>
  rlp([integer(index), integer(validatorIndex), address, integer(amount)]);
