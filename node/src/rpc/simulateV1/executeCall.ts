import type { MerkleStateManager } from '@ethereumjs/statemanager';
import { Account, createAddressFromString } from '@ethereumjs/util';
import { bytesToHex, type Hex } from 'viem';
import type { BlockExecution } from '../../execution/blockExecution.ts';
import type { ChainRules } from '../../execution/chainRules.ts';
import { type Log, logsBloomOf } from '../../primitives/receipt.ts';
import { evmErrorMessage, revertReason } from '../evmErrors.ts';
import type { CallRequest } from '../params.ts';
import { serverError } from '../rpcError.ts';
import { callFees } from './callFees.ts';
import { isRollup } from './chainProfile.ts';
import { blobGasOf, checkCall, isFree } from './checkCall.ts';
import { resolveCall, toMessage } from './resolveCall.ts';
import { type MessageOutcome, runMessage } from './runMessage.ts';
import { codes } from './simulationErrors.ts';
import { toUnsignedTransaction } from './toUnsignedTransaction.ts';
import { createTransferTracer } from './transferTracer.ts';

export type CallResult = {
  readonly returned: Hex;
  /** Those of the receipt, with transfers of ether between them if they were asked for. */
  readonly logs: readonly Log[];
  readonly gasUsed: bigint;
  readonly maxUsedGas: bigint;
  readonly blobGasUsed: bigint;
  readonly error: { readonly code: number; readonly message: string; readonly data?: Hex } | undefined;
};

export type CallSetting = {
  readonly rules: ChainRules;
  readonly state: MerkleStateManager;
  readonly execution: BlockExecution;
  /** Precompiles that are warm, by key; what overrides do to them doesn't matter. */
  readonly warm: readonly string[];
  /** Gas that the request may still burn. */
  readonly gasBudget: bigint;
  readonly validation: boolean;
  readonly traceTransfers: boolean;
};

/** Executes one call as the block's next transaction. @throws -38010 to -38025 when no block could hold it */
export const executeCall = async (setting: CallSetting, request: CallRequest): Promise<CallResult> => {
  const { rules, state, execution, validation, gasBudget } = setting;
  const { header, machine: evm, environment, gasLeft } = execution;
  const { common } = evm;
  const baseFee = header.baseFeePerGas ?? 0n;
  const call = await resolveCall(request, { state, gasLeft, gasBudget, baseFee, chainId: rules.chainId });
  if (call.blobVersionedHashes && isRollup(rules)) throw serverError('transaction type not supported');
  const message = toMessage(call);
  const free = isFree(call, validation);
  const sender = (await state.getAccount(createAddressFromString(call.from))) ?? new Account();
  const blobBaseFee = common.isActivatedEIP(4844) ? environment.header.getBlobGasPrice() : undefined;
  const limits = { common, sender, validation, baseFee: header.baseFeePerGas, blobBaseFee, dataFees: 0n };
  checkCall(call, message, limits);
  const transaction = toUnsignedTransaction(call, common);
  const blobGasUsed = blobGasOf(call, common);
  const fees = await callFees(
    { rules, evm, state, time: header },
    {
      from: call.from,
      gas: call.gas,
      price: call.price,
      baseFee,
      // Like gas, blobs cost nothing to whom offers nothing for them.
      blobFee: validation || call.maxFeePerBlobGas ? blobGasUsed * (blobBaseFee ?? 0n) : 0n,
      feeRecipient: header.miner,
      isFree: free,
      raw: validation ? transaction.raw : undefined,
    },
  );
  // Only now, as what the data costs follows from the transaction's bytes.
  if (fees.dataFees > 0n) checkCall(call, message, { ...limits, dataFees: fees.dataFees });
  await fees.prepay();
  const tracer = setting.traceTransfers ? createTransferTracer() : undefined;
  const outcome = await runMessage({ evm, state, environment }, message, { tracer, warm: setting.warm });
  await fees.settle(outcome.gasUsed);
  await evm.journal.cleanup();
  state.originalStorageCache.clear();
  execution.include(transaction, {
    type: transaction.tx.type,
    success: outcome.error === undefined,
    gasUsed: outcome.gasUsed,
    effectiveGasPrice: call.price,
    logsBloom: bytesToHex(logsBloomOf(outcome.logs)),
    logs: outcome.logs,
    contractAddress: outcome.contractAddress,
    depositNonce: null,
    depositReceiptVersion: null,
    fees: null,
  });
  const { gasUsed, maxUsedGas } = outcome;
  const logs = tracer ? tracer.logs() : outcome.logs;
  const error = outcome.error === undefined ? undefined : failureOf(outcome, outcome.error, call.isCapped);
  return { returned: error ? '0x' : outcome.returned, logs, gasUsed, maxUsedGas, blobGasUsed, error };
};

const REVERTED = 3;

/** The call failed, but the block holds it. */
const failureOf = (
  { returned }: MessageOutcome,
  error: string,
  isCapped: boolean,
): NonNullable<CallResult['error']> => {
  if (error === 'revert') {
    const reason = revertReason(returned);
    return {
      code: REVERTED,
      message: reason ? `execution reverted: ${reason}` : 'execution reverted',
      data: returned,
    };
  }
  const note = isCapped ? " (gas limit was capped by the RPC server's global gas cap)" : '';
  return { code: codes.vm, message: `${evmErrorMessage(error)}${note}` };
};
