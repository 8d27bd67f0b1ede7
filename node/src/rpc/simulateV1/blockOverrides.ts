import type { Address, Hex } from 'viem';
import type { EnvironmentHeader } from '../../execution/chainRules.ts';
import type { Withdrawal } from '../../primitives/block.ts';
import { toFields, toHexBytes, toList, toQuantity } from '../params.ts';
import { serverError } from '../rpcError.ts';

/** What a simulated block's header is taken to say; seconds, gas and wei per gas. */
export type BlockOverrides = {
  readonly number: bigint | undefined;
  readonly time: bigint | undefined;
  readonly difficulty: bigint | undefined;
  readonly gasLimit: bigint | undefined;
  readonly feeRecipient: Address | undefined;
  readonly prevRandao: Hex | undefined;
  readonly baseFeePerGas: bigint | undefined;
  readonly blobBaseFee: bigint | undefined;
  readonly beaconRoot: Hex | undefined;
  readonly withdrawals: readonly Withdrawal[] | undefined;
};

export const toBlockOverrides = (value: unknown, index: number): BlockOverrides => {
  const fields = toFields(value, index, 'block overrides');
  const quantity = (field: unknown, bits: number) => (field == null ? undefined : toQuantity(field, index, bits));
  const bytes = (field: unknown, size: number) => (field == null ? undefined : toHexBytes(field, index, size));
  return {
    number: quantity(fields.number, 256),
    time: quantity(fields.time, 64),
    difficulty: quantity(fields.difficulty, 256),
    gasLimit: quantity(fields.gasLimit, 64),
    feeRecipient: bytes(fields.feeRecipient, 20),
    prevRandao: bytes(fields.prevRandao, 32),
    baseFeePerGas: quantity(fields.baseFeePerGas, 256),
    blobBaseFee: quantity(fields.blobBaseFee, 256),
    beaconRoot: bytes(fields.beaconRoot, 32),
    withdrawals: toList(fields.withdrawals, index, 'withdrawals')?.map((item) => toWithdrawal(item, index)),
  };
};

const toWithdrawal = (value: unknown, index: number): Withdrawal => {
  const fields = toFields(value, index, 'a withdrawal');
  return {
    index: toQuantity(fields.index, index),
    validatorIndex: toQuantity(fields.validatorIndex, index),
    address: toHexBytes(fields.address, index, 20),
    amount: toQuantity(fields.amount, index),
  };
};

/**
 * The environment of a single call under the overrides. @throws -32000 for those that only a whole block has
 */
export const overrideHeader = (header: EnvironmentHeader, overrides: BlockOverrides): EnvironmentHeader => {
  for (const name of ['beaconRoot', 'withdrawals'] as const) {
    if (overrides[name] !== undefined)
      throw serverError(`block override "${name}" is not supported for this RPC method`);
  }
  const { baseFeePerGas = header.baseFeePerGas } = overrides;
  return {
    ...header,
    number: overrides.number ?? header.number,
    timestamp: overrides.time ?? header.timestamp,
    difficulty: overrides.difficulty ?? header.difficulty,
    gasLimit: overrides.gasLimit ?? header.gasLimit,
    miner: overrides.feeRecipient ?? header.miner,
    mixHash: overrides.prevRandao ?? header.mixHash,
    ...(baseFeePerGas === undefined ? {} : { baseFeePerGas }),
  };
};
