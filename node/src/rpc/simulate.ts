import type { EVM } from '@ethereumjs/evm';
import { createAddressFromString } from '@ethereumjs/util';
import { type Address, hexToBytes } from 'viem';
import type { ChainReader } from './chainReader.ts';
import { evmErrorMessage, revertReason } from './evmErrors.ts';
import type { BlockSelector, CallRequest } from './params.ts';
import { RpcError, serverError } from './rpcError.ts';
import { type BlockOverrides, overrideHeader } from './simulateV1/blockOverrides.ts';
import { gasBoundsOf, type Message, type MessageOutcome, runMessage } from './simulateV1/runMessage.ts';
import { applyStateOverrides, movePrecompiles, type StateOverrides } from './stateOverrides.ts';
import type { Tracer } from './trace/tracer.ts';

/** Gas that a read may burn; beyond it the node is being abused. */
export const CALL_GAS_CAP = 50_000_000n;
const ZERO: Address = '0x0000000000000000000000000000000000000000';

export type CallOutcome = MessageOutcome;

/** What a call is executed under instead of the block's own state and header. */
export type CallOverrides = { readonly state?: StateOverrides; readonly block?: BlockOverrides };

/** Executes a call on a throw-away view of a block's state. Fees are not charged; the value transfer is. */
export const simulateCall = async (
  chain: ChainReader,
  call: CallRequest,
  selector: BlockSelector,
  options: CallOverrides & { gas?: bigint; reportAccessList?: boolean; tracer?: Tracer } = {},
): Promise<CallOutcome> => {
  const block = await chain.requireBlock(selector);
  const { header } = block;
  const { engine } = chain;
  const { manager: state } = await chain.stateOf(block);
  const { state: stateOverrides = new Map(), block: blockOverrides } = options;
  await applyStateOverrides(state, stateOverrides);
  const price = call.maxFeePerGas ?? call.gasPrice ?? 0n;
  const overridden = blockOverrides ? overrideHeader(header, blockOverrides) : header;
  // As in geth, a call that names no price isn't held to the base fee, and sees none.
  const seen = price > 0n || header.baseFeePerGas === undefined ? overridden : { ...overridden, baseFeePerGas: 0n };
  const { vm, block: environment } = await engine.rules.createVm(state, seen, engine.blockHashes());
  const evm = vm.evm as EVM;
  const { blobBaseFee } = blockOverrides ?? {};
  if (blobBaseFee !== undefined) Object.assign(environment.header, { getBlobGasPrice: () => blobBaseFee });
  const warm = [...evm.precompiles.keys()];
  movePrecompiles(evm.precompiles, stateOverrides);
  const wanted = options.gas ?? call.gas ?? CALL_GAS_CAP;
  const from = call.from ?? ZERO;
  const message: Message = {
    from,
    to: call.to,
    value: call.value,
    data: hexToBytes(call.data),
    gasLimit: wanted > CALL_GAS_CAP ? CALL_GAS_CAP : wanted,
    gasPrice: price,
    accessList: call.accessList,
    authorizations: call.authorizationList ?? [],
    blobHashes: call.blobVersionedHashes ?? [],
  };
  const { intrinsic } = gasBoundsOf(message, vm.common);
  if (message.gasLimit < intrinsic) {
    throw serverError(`intrinsic gas too low: have ${message.gasLimit}, want ${intrinsic}`);
  }
  const account = await state.getAccount(createAddressFromString(from));
  if ((account?.balance ?? 0n) < call.value) {
    throw serverError(`insufficient funds for gas * price + value: address ${from}`);
  }
  const { tracer, reportAccessList = false } = options;
  return runMessage({ evm, state, environment }, message, { tracer, reportAccessList, warm });
};

/** geth's answer to a failed call: code 3 with the revert data, or -32000 with the EVM's reason. */
export const callError = ({ error, returned }: CallOutcome): RpcError => {
  if (error !== 'revert') return serverError(evmErrorMessage(error ?? 'execution failed'));
  const reason = revertReason(returned);
  return new RpcError(3, reason ? `execution reverted: ${reason}` : 'execution reverted', returned);
};

/**
 * The smallest gas limit with which the call succeeds, by bisection between what it used and the cap (geth's way).
 * @throws the call's own error when it fails even with all gas
 */
export const estimateGas = async (
  chain: ChainReader,
  call: CallRequest,
  selector: BlockSelector,
  overrides: CallOverrides = {},
): Promise<bigint> => {
  const highest = call.gas !== undefined && call.gas < CALL_GAS_CAP ? call.gas : maxTransactionGas;
  const full = await simulateCall(chain, call, selector, { ...overrides, gas: highest });
  if (full.error) throw callError(full);
  const suffices = async (gas: bigint) => {
    const outcome = await simulateCall(chain, call, selector, { ...overrides, gas }).catch(() => undefined);
    return outcome !== undefined && !outcome.error;
  };
  // Transfers, and all calls that neither get refunds nor call on with what is left.
  if (await suffices(full.gasUsed)) return full.gasUsed;
  let low = full.gasUsed;
  let high = highest;
  // Most others need what they used plus the 64th that sub-calls hold back.
  const guess = (full.gasUsed * 64n) / 63n + 2_300n;
  if (guess < high && (await suffices(guess))) high = guess;
  while (high - low > 1n && high - low > high / 64n) {
    const middle = (high + low) / 2n;
    if (await suffices(middle)) high = middle;
    else low = middle;
  }
  return high;
};

/** EIP-7825. */
const maxTransactionGas = 1n << 24n;
