import type { Common } from '@ethereumjs/common';
import { type CustomPrecompile, EVMError, getActivePrecompiles, type PrecompileFunc } from '@ethereumjs/evm';
import { createAddressFromString } from '@ethereumjs/util';
import { type Fork, includesFork } from '@openledger/chain-config';
import { bytesToHex, hexToBytes, numberToHex, pad } from 'viem';
import { loadKzg } from '../l1/kzg.ts';

const BN256_PAIRING = 0x08;
const BLS_G1_MSM = 0x0c;
const BLS_G2_MSM = 0x0e;
const BLS_PAIRING = 0x0f;
const P256_VERIFY = 0x100;

/** RIP-7212's price, which L2 had until it took over L1's with EIP-7951. */
const P256_GAS_FJORD = 3_450n;

/**
 * Bytes of input that a precompile takes, so that no call costs a fault proof too much (granite, isthmus, jovian, karst
 * exec-engine.md and precompiles.md).
 */
const inputLimits: readonly (readonly [Fork, Readonly<Record<number, number>>])[] = [
  ['granite', { [BN256_PAIRING]: 112_687 }],
  ['isthmus', { [BLS_G1_MSM]: 513_760, [BLS_G2_MSM]: 488_448, [BLS_PAIRING]: 235_008 }],
  ['jovian', { [BN256_PAIRING]: 81_984, [BLS_G1_MSM]: 288_960, [BLS_G2_MSM]: 278_784, [BLS_PAIRING]: 156_672 }],
  ['karst', { [BN256_PAIRING]: 57_600 }],
];

const addressOf = (number: number) => createAddressFromString(pad(numberToHex(number), { size: 20 }));
const keyOf = (number: number): string => addressOf(number).toString().slice(2);

const POINT_EVALUATION = 0x0a;
const POINT_EVALUATION_GAS = 50_000n;
const POINT_EVALUATION_INPUT = 192;
/** FIELD_ELEMENTS_PER_BLOB and the BLS modulus, which the precompile answers with (EIP-4844). */
const POINT_EVALUATION_OUTPUT = hexToBytes(
  '0x000000000000000000000000000000000000000000000000000000000000100073eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001',
);

/** EIP-4844's point evaluation over whichever KZG library loads on this machine. */
const pointEvaluation: PrecompileFunc = async ({ data, gasLimit }) => {
  if (gasLimit < POINT_EVALUATION_GAS || data.length !== POINT_EVALUATION_INPUT) return failed(gasLimit);
  const [hash, z, y] = [data.subarray(0, 32), data.subarray(32, 64), data.subarray(64, 96)];
  const [commitment, proof] = [data.subarray(96, 144), data.subarray(144, 192)];
  const kzg = await loadKzg();
  try {
    const holds = kzg.versionedHash(commitment) === bytesToHex(hash) && kzg.verifyPoint(commitment, z, y, proof);
    return holds ? { executionGasUsed: POINT_EVALUATION_GAS, returnValue: POINT_EVALUATION_OUTPUT } : failed(gasLimit);
  } catch {
    // The library throws on points that aren't on the curve; for the caller that is a failed proof.
    return failed(gasLimit);
  }
};

/** The precompiles that both L1 and L2 run on native code. */
export const nativePrecompiles = (common: Common): CustomPrecompile[] =>
  common.isActivatedEIP(4844) ? [{ address: addressOf(POINT_EVALUATION), function: pointEvaluation }] : [];

/** What L2's precompiles do otherwise than L1's at the same EVM rules. */
export const opPrecompiles = (fork: Fork, common: Common): CustomPrecompile[] => {
  const builtIn = getActivePrecompiles(common);
  const limits = Object.assign(
    {},
    ...inputLimits.filter(([from]) => includesFork(fork, from)).map(([, limit]) => limit),
  );
  const limited = Object.entries(limits as Record<string, number>).flatMap(([number, bytes]) => {
    const original = builtIn.get(keyOf(Number(number)));
    return original ? [{ address: addressOf(Number(number)), function: withInputLimit(original, bytes) }] : [];
  });
  const custom: CustomPrecompile[] = [...nativePrecompiles(common), ...limited];
  const p256 = builtIn.get(keyOf(P256_VERIFY));
  if (p256 && !includesFork(fork, 'karst'))
    custom.push({ address: addressOf(P256_VERIFY), function: withFjordPrice(p256) });
  return custom;
};

const withInputLimit =
  (original: PrecompileFunc, bytes: number): PrecompileFunc =>
  (input) =>
    input.data.length > bytes ? failed(input.gasLimit) : original(input);

const withFjordPrice =
  (original: PrecompileFunc): PrecompileFunc =>
  async (input) => {
    if (input.gasLimit < P256_GAS_FJORD) return failed(input.gasLimit);
    const result = await original({ ...input, gasLimit: BigInt(Number.MAX_SAFE_INTEGER) });
    return { ...result, executionGasUsed: P256_GAS_FJORD };
  };

/** A failing precompile takes all the gas that it was given. */
const failed = (gasLimit: bigint) => ({
  executionGasUsed: gasLimit,
  returnValue: new Uint8Array(),
  exceptionError: new EVMError(EVMError.errorMessages.OUT_OF_GAS),
});
