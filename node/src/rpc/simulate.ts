import type { EVM } from '@ethereumjs/evm';
import { Account, createAddressFromString } from '@ethereumjs/util';
import { type Address, bytesToHex, type Hex, hexToBytes } from 'viem';
import { accessListGasOf, chargedGas, getCalldataFloorGasFor, intrinsicGasOf } from '../execution/intrinsicGas.ts';
import type { ChainReader } from './chainReader.ts';
import { evmErrorMessage, revertReason } from './evmErrors.ts';
import type { BlockSelector, CallRequest } from './params.ts';
import { RpcError, serverError } from './rpcError.ts';
import { observe, type Tracer } from './trace/tracer.ts';

/** Gas that a read may burn; beyond it the node is being abused. */
export const CALL_GAS_CAP = 50_000_000n;
const ZERO: Address = '0x0000000000000000000000000000000000000000';

export type CallOutcome = {
  readonly returned: Hex;
  readonly gasUsed: bigint;
  readonly error: string | undefined;
  readonly accessList: readonly { address: Hex; storageKeys: readonly Hex[] }[];
};

/** Executes a call on a throw-away view of a block's state. Fees are not charged; the value transfer is. */
export const simulateCall = async (
  chain: ChainReader,
  call: CallRequest,
  selector: BlockSelector,
  options: { gas?: bigint; reportAccessList?: boolean; tracer?: Tracer } = {},
): Promise<CallOutcome> => {
  const block = await chain.requireBlock(selector);
  const { engine } = chain;
  const { manager } = await engine.stateOf(block);
  // As in geth, a call that names no price isn't held to the base fee, and sees none.
  const header = call.gasPrice
    ? block.header
    : { ...block.header, ...(block.header.baseFeePerGas === undefined ? {} : { baseFeePerGas: 0n }) };
  const { vm, block: environment } = await engine.rules.createVm(manager, header, engine.blockHashes());
  const evm = vm.evm as EVM;
  const from = createAddressFromString(call.from ?? ZERO);
  const data = hexToBytes(call.data);
  const intrinsic = intrinsicGasOf(data, call.to === undefined, vm.common) + accessListGasOf(call.accessList);
  const wanted = options.gas ?? call.gas ?? CALL_GAS_CAP;
  const gasLimit = wanted > CALL_GAS_CAP ? CALL_GAS_CAP : wanted;
  if (gasLimit < intrinsic) throw serverError(`intrinsic gas too low: have ${gasLimit}, want ${intrinsic}`);
  const account = (await manager.getAccount(from)) ?? new Account();
  if (account.balance < call.value) {
    throw serverError(`insufficient funds for gas * price + value: address ${call.from ?? ZERO}`);
  }
  account.nonce += 1n;
  await manager.putAccount(from, account);
  if (options.reportAccessList) evm.journal.startReportingAccessList?.();
  for (const precompile of evm.precompiles.keys()) evm.journal.addAlwaysWarmAddress(precompile);
  for (const warm of [from, environment.header.coinbase, ...(call.to ? [createAddressFromString(call.to)] : [])]) {
    evm.journal.addAlwaysWarmAddress(bytesToHex(warm.bytes).slice(2));
  }
  for (const { address, storageKeys } of call.accessList) {
    evm.journal.addAlwaysWarmAddress(address.slice(2), true);
    for (const key of storageKeys) evm.journal.addAlwaysWarmSlot(address.slice(2), key.slice(2), true);
  }
  const run = () =>
    evm.runCall({
      block: environment,
      caller: from,
      origin: from,
      ...(call.to === undefined ? {} : { to: createAddressFromString(call.to) }),
      value: call.value,
      data,
      gasPrice: call.gasPrice ?? 0n,
      gasLimit: gasLimit - intrinsic,
      skipNonceIncrement: true,
    });
  const { execResult } = options.tracer ? await observe(evm, options.tracer, run) : await run();
  const spent = intrinsic + execResult.executionGasUsed;
  const refund = execResult.exceptionError ? 0n : (execResult.gasRefund ?? 0n);
  const floor = vm.common.isActivatedEIP(7623) ? getCalldataFloorGasFor(data) : 0n;
  return {
    returned: bytesToHex(execResult.returnValue),
    gasUsed: chargedGas(spent, refund, floor),
    error: execResult.exceptionError?.error,
    accessList: [...(evm.journal.accessList ?? [])].map(([address, slots]) => ({
      address: `0x${address}`,
      storageKeys: [...slots].map((slot): Hex => `0x${slot}`),
    })),
  };
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
export const estimateGas = async (chain: ChainReader, call: CallRequest, selector: BlockSelector): Promise<bigint> => {
  const highest = call.gas !== undefined && call.gas < CALL_GAS_CAP ? call.gas : maxTransactionGas;
  const full = await simulateCall(chain, call, selector, { gas: highest });
  if (full.error) throw callError(full);
  const suffices = async (gas: bigint) => {
    const outcome = await simulateCall(chain, call, selector, { gas }).catch(() => undefined);
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
