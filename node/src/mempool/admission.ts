import { type Hex, size } from 'viem';
import type { Engine } from '../engine/engine.ts';
import { nodeError } from '../errors.ts';
import { getCalldataFloorGasFor } from '../execution/intrinsicGas.ts';
import type { Block } from '../primitives/block.ts';
import type { SignedL2Transaction } from '../primitives/transaction.ts';

/** Counts, bytes of one raw transaction and of all that wait, wei of tip per gas, percent. */
export type MempoolLimits = {
  readonly maxTransactions: number;
  readonly maxPerSender: number;
  readonly maxBytes: number;
  readonly maxPoolBytes: number;
  readonly minTip: bigint;
  readonly priceBump: bigint;
};

export const feeCapOf = ({ tx }: SignedL2Transaction): bigint => ('maxFeePerGas' in tx ? tx.maxFeePerGas : tx.gasPrice);
export const tipCapOf = ({ tx }: SignedL2Transaction): bigint =>
  'maxPriorityFeePerGas' in tx ? tx.maxPriorityFeePerGas : tx.gasPrice;

export const checkStateless = (raw: Hex, limits: MempoolLimits): void => {
  if (size(raw) > limits.maxBytes) throw nodeError('TX_TOO_LARGE', 'oversized data', { max: limits.maxBytes });
};

/**
 * The most that the transaction can cost its sender, in wei, L1 data fee and operator fee included.
 * @throws TX_GAS_TOO_HIGH, TX_INVALID, TX_FEE_TOO_LOW, TX_TOO_LARGE, TX_UNPROTECTED
 */
export const admissionCost = async (
  transaction: SignedL2Transaction,
  head: Block,
  engine: Engine,
  limits: MempoolLimits,
): Promise<bigint> => {
  const { tx } = transaction;
  if (tx.type === 0 && !tx.supports(155)) {
    throw nodeError('TX_UNPROTECTED', 'only replay-protected (EIP-155) transactions allowed over RPC');
  }
  if (tx.gasLimit > head.header.gasLimit) throw nodeError('TX_GAS_TOO_HIGH', 'exceeds block gas limit');
  if (tx.gasLimit < tx.getIntrinsicGas()) throw nodeError('TX_INVALID', 'intrinsic gas too low');
  if (tx.common.isActivatedEIP(7623) && tx.gasLimit < getCalldataFloorGasFor(tx.data)) {
    throw nodeError('TX_INVALID', 'insufficient gas for floor data gas cost');
  }
  if (feeCapOf(transaction) < engine.rules.minBaseFee(head.header)) {
    throw nodeError('TX_FEE_TOO_LOW', 'max fee per gas less than block base fee');
  }
  if (tipCapOf(transaction) < limits.minTip) throw nodeError('TX_FEE_TOO_LOW', 'transaction tip is too low');
  const { manager } = await engine.stateAtHead();
  const { l1Fee, operatorFee, daFootprint } = await engine.rules.dataFees(
    manager,
    transaction,
    tx.gasLimit,
    head.header,
  );
  if (daFootprint > head.header.gasLimit) throw nodeError('TX_TOO_LARGE', 'more data than a block may carry');
  return tx.value + tx.gasLimit * feeCapOf(transaction) + l1Fee + operatorFee;
};
