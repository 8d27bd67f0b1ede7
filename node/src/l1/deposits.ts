import { type Address, type Hex, hexToBigInt, keccak256, size, slice, toBytes } from 'viem';
import { nodeError } from '../errors.ts';
import { type DepositTransaction, userDepositSourceHash } from '../primitives/depositTransaction.ts';
import type { L1Log, L1Receipt } from './l1Source.ts';

export const TRANSACTION_DEPOSITED_TOPIC = keccak256(toBytes('TransactionDeposited(address,address,uint256,bytes)'));

const OPAQUE_HEADER = 73;

/**
 * The user deposits of an L1 block in log order: TransactionDeposited version 0 of the portal (specs/protocol/deposits.md);
 * topics are from, to, version; opaqueData is packed mint u256, value u256, gas u64, isCreation u8, data.
 * @throws L1_BAD_DATA when a log has the wrong shape.
 */
export const depositsOf = (receipts: readonly L1Receipt[], portal: Address, blockHash: Hex): DepositTransaction[] =>
  receipts
    .filter(({ success }) => success)
    .flatMap(({ logs }) => logs)
    .filter(({ address, topics }) => address === portal.toLowerCase() && topics[0] === TRANSACTION_DEPOSITED_TOPIC)
    .map((log) => depositOf(log, blockHash));

const depositOf = (log: L1Log, blockHash: Hex): DepositTransaction => {
  const [, from, to, version] = log.topics;
  if (!from || !to || version === undefined)
    throw nodeError('L1_BAD_DATA', 'deposit log without topics', { blockHash });
  if (hexToBigInt(version) !== 0n) throw nodeError('L1_BAD_DATA', 'deposit of an unknown version', { version });
  const length = Number(hexToBigInt(slice(log.data, 32, 64)));
  const opaque = length === 0 ? '0x' : slice(log.data, 64, 64 + length);
  if (size(opaque) < OPAQUE_HEADER) throw nodeError('L1_BAD_DATA', 'deposit data is too short', { blockHash });
  const isCreation = hexToBigInt(slice(opaque, 72, 73)) === 1n;
  return {
    sourceHash: userDepositSourceHash(blockHash, log.logIndex),
    from: slice(from, 12, 32) as Address,
    to: isCreation ? null : (slice(to, 12, 32) as Address),
    mint: hexToBigInt(slice(opaque, 0, 32)),
    value: hexToBigInt(slice(opaque, 32, 64)),
    gas: hexToBigInt(slice(opaque, 64, 72)),
    isSystemTransaction: false,
    data: size(opaque) > OPAQUE_HEADER ? slice(opaque, OPAQUE_HEADER) : '0x',
  };
};
