import type { MerkleStateManager } from '@ethereumjs/statemanager';
import { createAddressFromString } from '@ethereumjs/util';
import { type Address, hexToBytes } from 'viem';
import type { CallRequest } from '../params.ts';
import { serverError } from '../rpcError.ts';
import type { Message } from './runMessage.ts';
import { simulationError } from './simulationErrors.ts';

const NOBODY: Address = '0x0000000000000000000000000000000000000000';

/** A call with everything that it may leave out. */
export type ResolvedCall = CallRequest & {
  readonly from: Address;
  readonly nonce: bigint;
  readonly gas: bigint;
  /** With a gas price both are that price. Wei per gas. */
  readonly maxFeePerGas: bigint;
  readonly maxPriorityFeePerGas: bigint;
  /** What a unit of gas costs: nothing when no price is offered, whatever the base fee is. */
  readonly price: bigint;
  /** The gas that it gets is less than it asked for, as one request may only burn so much. */
  readonly isCapped: boolean;
};

/**
 * Fills in what geth fills in: the sender's nonce, the gas that the block has left, no fees.
 * @throws -38015 when the block has less gas; -32000 when fields exclude each other or are of another chain
 */
export const resolveCall = async (
  call: CallRequest,
  place: { state: MerkleStateManager; gasLeft: bigint; gasBudget: bigint; baseFee: bigint; chainId: number },
): Promise<ResolvedCall> => {
  const { gasLeft, gasBudget, baseFee, chainId } = place;
  const from = call.from ?? NOBODY;
  const wanted = call.gas ?? gasLeft;
  if (wanted > gasLeft) {
    throw simulationError('blockGasLimit', `block gas limit reached: remaining: ${gasLeft}, required: ${wanted}`);
  }
  if (call.gasPrice !== undefined && (call.maxFeePerGas !== undefined || call.maxPriorityFeePerGas !== undefined)) {
    throw serverError('both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified');
  }
  if (call.chainId !== undefined && call.chainId !== BigInt(chainId)) {
    throw serverError(`chainId does not match node's (have=${call.chainId}, want=${chainId})`);
  }
  const maxFeePerGas = call.gasPrice ?? call.maxFeePerGas ?? 0n;
  const maxPriorityFeePerGas = call.gasPrice ?? call.maxPriorityFeePerGas ?? 0n;
  const offered = baseFee + maxPriorityFeePerGas < maxFeePerGas ? baseFee + maxPriorityFeePerGas : maxFeePerGas;
  return {
    ...call,
    from,
    nonce: call.nonce ?? (await place.state.getAccount(createAddressFromString(from)))?.nonce ?? 0n,
    gas: wanted < gasBudget ? wanted : gasBudget,
    maxFeePerGas,
    maxPriorityFeePerGas,
    price: call.gasPrice ?? offered,
    isCapped: wanted > gasBudget,
  };
};

export const toMessage = (call: ResolvedCall): Message => ({
  from: call.from,
  to: call.to,
  value: call.value,
  data: hexToBytes(call.data),
  gasLimit: call.gas,
  gasPrice: call.price,
  accessList: call.accessList,
  authorizations: call.authorizationList ?? [],
  blobHashes: call.blobVersionedHashes ?? [],
});
