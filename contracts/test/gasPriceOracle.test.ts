import { createRequire } from 'node:module';
import { opPredeploys } from '@openledger/chain-config';
import {
  type Abi,
  bytesToHex,
  concat,
  encodeFunctionData,
  type Hex,
  hexToBytes,
  numberToHex,
  serializeTransaction,
  size,
  toFunctionSignature,
} from 'viem';
import { describe, expect, it } from 'vitest';
import { fastLzLength } from '../../node/src/execution/fastLz.ts';
import { l1DataFee, operatorFee, sizeScaledOf } from '../../node/src/execution/l1Cost.ts';
import { gasPriceOracleAbi, gasPriceOracleBytecode } from '../ts/generated/GasPriceOracle.ts';
import { l1BlockAbi, l1BlockDeployedBytecode } from '../ts/generated/L1Block.ts';
import { isolateTests, startChain } from './support/chain.ts';
import { contractAt } from './support/contract.ts';
import { create } from './support/system.ts';

const chain = await startChain();
const oracle = contractAt(chain, gasPriceOracleAbi, await create(chain, gasPriceOracleBytecode));
await chain.client.setCode({ address: opPredeploys.l1Block, bytecode: l1BlockDeployedBytecode });
const l1Block = contractAt(chain, l1BlockAbi, opPredeploys.l1Block);
isolateTests(chain);

const DEPOSITOR = '0xdeaddeaddeaddeaddeaddeaddeaddeaddead0001';
const fees = {
  baseFee: 7_000_000_000n,
  overhead: 0n,
  scalar: 0n,
  blobBaseFee: 3_000n,
  baseFeeScalar: 5227,
  blobBaseFeeScalar: 1_014_213,
  operatorFeeScalar: 4_000_000_000,
  operatorFeeConstant: 2n ** 64n - 1n,
  daFootprintGasScalar: 400,
};

/** As the L1 attributes deposit of a Jovian block writes them. */
const setFees = (given: typeof fees) =>
  chain.send({
    from: DEPOSITOR,
    to: opPredeploys.l1Block,
    data: concat([
      '0x3db6be2b',
      numberToHex(given.baseFeeScalar, { size: 4 }),
      numberToHex(given.blobBaseFeeScalar, { size: 4 }),
      numberToHex(0, { size: 24 }),
      numberToHex(given.baseFee, { size: 32 }),
      numberToHex(given.blobBaseFee, { size: 32 }),
      numberToHex(0, { size: 64 }),
      numberToHex(given.operatorFeeScalar, { size: 4 }),
      numberToHex(given.operatorFeeConstant, { size: 8 }),
      numberToHex(given.daFootprintGasScalar, { size: 2 }),
    ]),
  });

/** Bytes with matches near and far, long and short, and stretches without any; the same for the same seed. */
const sampleData = (seed: number, length: number): Hex => {
  let state = seed * 2_654_435_761 + 1;
  const next = (bound: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
  const bytes: number[] = [];
  while (bytes.length < length) {
    const kind = next(3);
    const count = 1 + next(kind === 2 ? 400 : 40);
    const start = next(bytes.length + 1);
    for (let i = 0; i < count && bytes.length < length; i++) {
      bytes.push(kind === 0 ? next(256) : kind === 1 ? 0 : (bytes[(start + i) % (bytes.length || 1)] ?? 7));
    }
  }
  return bytesToHex(new Uint8Array(bytes));
};

const SIGNATURE = 68;
const feeOf = (data: Hex) => l1DataFee(sizeScaledOf(fastLzLength(hexToBytes(data)) + SIGNATURE), fees);

describe('the L1 fee', () => {
  it('is the one that the node charges, for data of every kind', async () => {
    await setFees(fees);
    const lengths = [0, 1, 12, 13, 14, 15, 16, 20, 33, 64, 100, 255, 256, 300, 500, 1_000, 3_000, 9_000, 20_000];
    const samples = lengths.flatMap((length, index) => [sampleData(index, length), sampleData(index + 100, length)]);
    for (const data of [...samples, bytesToHex(new Uint8Array(700)), bytesToHex(new Uint8Array(8_600).fill(1))]) {
      expect(await oracle.read('getL1Fee', [data]), `${size(data)} bytes`).toBe(feeOf(data));
      const gas = (sizeScaledOf(fastLzLength(hexToBytes(data)) + SIGNATURE) * 16n) / 1_000_000n;
      expect(await oracle.read('getL1GasUsed', [data])).toBe(gas);
    }
  });

  it('of a transfer costs less than 100,000 gas to compute', async () => {
    await setFees(fees);
    const data = serializeTransaction({
      type: 'eip1559',
      chainId: 1,
      to: oracle.address,
      value: 10n ** 18n,
      gas: 21_000n,
    });
    const used = await chain.client.estimateGas({
      to: oracle.address,
      data: encodeFunctionData({ abi: oracle.abi, functionName: 'getL1Fee', args: [data] }),
    });
    expect(used).toBeLessThan(100_000n);
  });

  it('is never above its upper bound', async () => {
    await setFees(fees);
    for (const length of [0, 100, 254, 255, 1_000, 5_000]) {
      const bound = await oracle.read('getL1FeeUpperBound', [BigInt(length)]);
      const bytes = length + SIGNATURE;
      expect(bound).toBe(l1DataFee(sizeScaledOf(bytes + Math.floor(bytes / 255) + 16), fees));
      expect(bound).toBeGreaterThanOrEqual(feeOf(sampleData(length, length)));
    }
  });
});

describe('the operator fee', () => {
  it('is Jovian’s: gas times the scalar times 100, and the constant', async () => {
    expect(await oracle.read('getOperatorFee', [21_000n])).toBe(0n);
    await setFees(fees);
    for (const gas of [0n, 21_000n, 2n ** 64n - 1n]) {
      expect(await oracle.read('getOperatorFee', [gas])).toBe(operatorFee('jovian', gas, fees));
    }
  });

  it('stops at the largest number', async () => {
    await setFees(fees);
    expect(await oracle.read('getOperatorFee', [2n ** 256n - 1n])).toBe(2n ** 256n - 1n);
    expect(await oracle.read('getOperatorFee', [2n ** 240n])).toBe(2n ** 256n - 1n);
  });
});

describe('the rest', () => {
  it('comes from L1Block and the block', async () => {
    await setFees(fees);
    expect(await oracle.read('l1BaseFee', [])).toBe(fees.baseFee);
    expect(await oracle.read('blobBaseFee', [])).toBe(fees.blobBaseFee);
    expect(await oracle.read('baseFeeScalar', [])).toBe(fees.baseFeeScalar);
    expect(await oracle.read('blobBaseFeeScalar', [])).toBe(fees.blobBaseFeeScalar);
    expect(await oracle.read('gasPrice', [])).toBe(await oracle.read('baseFee', []));
    expect(await l1Block.read('operatorFeeScalar', [])).toBe(fees.operatorFeeScalar);
  });

  it('says that all forks are active', async () => {
    for (const name of ['isEcotone', 'isFjord', 'isIsthmus', 'isJovian'] as const) {
      expect(await oracle.read(name, [])).toBe(true);
    }
    expect(await oracle.read('decimals', [])).toBe(await oracle.read('DECIMALS', []));
    expect(await oracle.read('version', [])).toMatch(/^\d+\.\d+\.\d+/);
  });

  it('refuses the parameters of Bedrock', async () => {
    for (const name of ['overhead', 'scalar'] as const) await expect(oracle.read(name, [])).rejects.toThrow();
  });

  it("has every getter of OP's own oracle; what activates a fork is not needed", () => {
    const require = createRequire(import.meta.url);
    const {
      abi,
    }: { abi: Abi } = require('@eth-optimism/contracts-bedrock/forge-artifacts/GasPriceOracle.sol/GasPriceOracle.json');
    const signatures = (items: Abi) => items.filter((item) => item.type === 'function').map(toFunctionSignature);
    const missing = signatures(abi).filter((signature) => !signatures(gasPriceOracleAbi).includes(signature));
    expect(missing).toEqual(['setEcotone()', 'setFjord()']);
  });
});
