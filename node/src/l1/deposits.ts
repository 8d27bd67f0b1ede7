import { type Address, type Hex, hexToBigInt, keccak256, size, slice, toBytes } from 'viem';
import { nodeError } from '../errors.ts';
import { type DepositTransaction, userDepositSourceHash } from '../primitives/depositTransaction.ts';

export const TRANSACTION_DEPOSITED_TOPIC = keccak256(toBytes('TransactionDeposited(address,address,uint256,bytes)'));

type RpcLog = { topics: readonly Hex[]; data: Hex; logIndex: Hex | null; blockHash: Hex | null };

const OPAQUE_HEADER = 73;

/**
 * TransactionDeposited version 0 (specs/protocol/deposits.md): topics are from, to, version; opaqueData is packed
 * mint u256, value u256, gas u64, isCreation u8, data.
 * @throws L1_BAD_DATA when a log isn't of the block or has the wrong shape.
 */
export const depositsFromLogs = (logs: readonly RpcLog[], blockHash: Hex): DepositTransaction[] =>
  logs.map((log) => {
    const [, from, to, version] = log.topics;
    if (log.blockHash !== blockHash || !log.logIndex || !from || !to || version === undefined) {
      throw nodeError('L1_BAD_DATA', 'deposit log does not belong to its block', { blockHash });
    }
    if (hexToBigInt(version) !== 0n) throw nodeError('L1_BAD_DATA', 'deposit of an unknown version', { version });
    const length = Number(hexToBigInt(slice(log.data, 32, 64)));
    const opaque = length === 0 ? '0x' : slice(log.data, 64, 64 + length);
    if (size(opaque) < OPAQUE_HEADER) throw nodeError('L1_BAD_DATA', 'deposit data is too short', { blockHash });
    const isCreation = hexToBigInt(slice(opaque, 72, 73)) === 1n;
    return {
      sourceHash: userDepositSourceHash(blockHash, hexToBigInt(log.logIndex)),
      from: slice(from, 12, 32) as Address,
      to: isCreation ? null : (slice(to, 12, 32) as Address),
      mint: hexToBigInt(slice(opaque, 0, 32)),
      value: hexToBigInt(slice(opaque, 32, 64)),
      gas: hexToBigInt(slice(opaque, 64, 72)),
      isSystemTransaction: false,
      data: size(opaque) > OPAQUE_HEADER ? slice(opaque, OPAQUE_HEADER) : '0x',
    };
  });
