import { readFileSync } from 'node:fs';
import { createAddressFromString } from '@ethereumjs/util';
import { devnet, feeScalars, opPredeploys } from '@openledger/chain-config';
import { l1BlockAbi } from '@openledger/contracts';
import {
  type Abi,
  type Address,
  bytesToHex,
  decodeFunctionResult,
  encodeFunctionData,
  hexToBytes,
  parseAbi,
  serializeTransaction,
} from 'viem';
import { describe, expect, it } from 'vitest';
import { TestChain } from '../../test/support/testChain.ts';
import { INITIAL_BALANCE, systemConfig } from '../../test/support/testGenesis.ts';
import { ana, bo, GWEI } from '../../test/support/wallets.ts';
import { ChainReader } from '../rpc/chainReader.ts';
import { toCallRequest } from '../rpc/params.ts';
import { simulateCall } from '../rpc/simulate.ts';
import { fastLzLength } from './fastLz.ts';
import {
  daFootprint,
  estimatedSizeScaled,
  type L1FeeParams,
  l1DataFee,
  operatorFee,
  readL1FeeParams,
} from './l1Cost.ts';

const params = (given: Partial<L1FeeParams>): L1FeeParams => ({
  baseFee: 0n,
  overhead: 0n,
  scalar: 0n,
  blobBaseFee: 0n,
  baseFeeScalar: 0,
  blobBaseFeeScalar: 0,
  operatorFeeScalar: 0,
  operatorFeeConstant: 0n,
  daFootprintGasScalar: 400,
  ...given,
});
/** The size that FastLZ has to report for the estimate to be computed from it. */
const sizeOf = (fastLz: number) => {
  const estimate = 836_500n * BigInt(fastLz) - 42_585_600n;
  return estimate < 100_000_000n ? 100_000_000n : estimate;
};

describe('fees', () => {
  it('of L1 data for the smallest transaction on OP Mainnet scalars', () => {
    const mainnet = params({ baseFee: 7n * GWEI, blobBaseFee: 1n, baseFeeScalar: 5227, blobBaseFeeScalar: 1_014_213 });
    expect(l1DataFee(estimatedSizeScaled(new Uint8Array(30)), mainnet)).toBe(58_542_400_101n);
  });

  it('of the operator count gas with six decimals in Isthmus, times 100 since Jovian', () => {
    const given = params({ operatorFeeScalar: 1_000_000, operatorFeeConstant: 12_345n });
    expect(operatorFee('jovian', 21_000n, given)).toBe(21_000n * 1_000_000n * 100n + 12_345n);
    expect(operatorFee('isthmus', 21_000n, given)).toBe(21_000n + 12_345n);
    expect(operatorFee('holocene', 21_000n, given)).toBe(0n);
  });

  it('count data availability in whole bytes', () => {
    expect(daFootprint('jovian', 100_999_999n, params({}))).toBe(40_000n);
    expect(daFootprint('isthmus', 100_999_999n, params({}))).toBe(0n);
  });
});

const vectorsPath = new URL('../../../../shared/fixtures/op-geth/l1-cost-vectors.json', import.meta.url);
type Vectors = {
  params: Record<string, string>;
  emptyTx_expected: { fjord_minimum: { gas: string; fee: string } };
  fjord_min_bound_fastlz_sizes: number[];
  fjord_above_min_fastlz_sizes: number[];
  fjord_solidity_parity: Record<string, string | number>;
  fastlz_compressed_length: { input: `0x${string}`; len: number }[];
};
const readVectors = (): Vectors | undefined => {
  try {
    return JSON.parse(readFileSync(vectorsPath, 'utf8')) as Vectors;
  } catch {
    return undefined;
  }
};
const vectors = readVectors();

describe.skipIf(!vectors)('vectors of op-geth (skipped where the shared fixtures folder is missing)', () => {
  it.each(vectors?.fastlz_compressed_length ?? [])('FastLZ makes $len bytes', ({ input, len }) => {
    expect(fastLzLength(hexToBytes(input))).toBe(len);
  });

  const given = vectors?.params ?? {};
  const p = params({
    baseFee: BigInt(given.baseFee ?? 0),
    blobBaseFee: BigInt(given.blobBaseFee ?? 0),
    baseFeeScalar: Number(given.baseFeeScalar),
    blobBaseFeeScalar: Number(given.blobBaseFeeScalar),
  });
  const minimum = BigInt(vectors?.emptyTx_expected.fjord_minimum.fee ?? 0);

  it('the minimum holds up to a FastLZ size of 170, and no further', () => {
    for (const size of vectors?.fjord_min_bound_fastlz_sizes ?? []) expect(l1DataFee(sizeOf(size), p)).toBe(minimum);
    for (const size of vectors?.fjord_above_min_fastlz_sizes ?? []) {
      expect(l1DataFee(sizeOf(size), p)).toBeGreaterThan(minimum);
    }
    expect(minimum).toBeGreaterThan(0n);
  });

  it('the empty transaction pays the minimum', () => {
    const raw = serializeTransaction({ type: 'legacy', to: '0x095e7baea6a6c7c4c2dfeb977efac326af552d87' });
    expect(l1DataFee(estimatedSizeScaled(hexToBytes(raw)), p)).toBe(minimum);
  });

  it('the fee is that of the Solidity oracle', () => {
    const v = vectors?.fjord_solidity_parity ?? {};
    const fees = params({
      baseFee: BigInt(v.baseFee ?? 0),
      blobBaseFee: BigInt(v.blobBaseFee ?? 0),
      baseFeeScalar: Number(v.baseFeeScalar),
      blobBaseFeeScalar: Number(v.blobBaseFeeScalar),
    });
    expect(l1DataFee(sizeOf(Number(v.fastLzSize)), fees)).toBe(BigInt(v.fee ?? 0));
  });
});

describe('on a chain', () => {
  const withOperatorFee = { operatorFeeScalar: 7, operatorFeeConstant: 12_345n };
  const call = async (chain: TestChain, to: Address, abi: Abi, functionName: string, args: unknown[] = []) => {
    const reader = new ChainReader(chain.engine, chain.mempool);
    const data = encodeFunctionData({ abi, functionName, args });
    const request = toCallRequest({ to, data }, 0);
    const outcome = await simulateCall(reader, request, 'latest');
    expect(outcome.error).toBeUndefined();
    return decodeFunctionResult({ abi, functionName, data: outcome.returned });
  };

  it('the L1 attributes deposit tells L1Block what L1 says', async () => {
    const chain = await TestChain.start({ systemConfig: withOperatorFee });
    chain.l1.fees = { baseFee: 123n, blobBaseFee: 45n };
    const origin = chain.l1.mine();
    await chain.steps(2);
    const read = (name: string) => call(chain, opPredeploys.l1Block, l1BlockAbi, name);
    expect(
      await Promise.all(['number', 'timestamp', 'hash', 'basefee', 'blobBaseFee', 'sequenceNumber'].map(read)),
    ).toEqual([origin.number, origin.timestamp, origin.hash, 123n, 45n, 1n]);
    expect(
      await Promise.all(
        ['baseFeeScalar', 'blobBaseFeeScalar', 'operatorFeeScalar', 'operatorFeeConstant', 'daFootprintGasScalar'].map(
          read,
        ),
      ),
    ).toEqual([1368, 810_949, 7, 12_345n, devnet.systemConfig.daFootprintGasScalar]);
    const { manager } = await chain.engine.stateAtHead();
    expect(await readL1FeeParams(manager)).toMatchObject({ baseFee: 123n, blobBaseFee: 45n, operatorFeeScalar: 7 });
  });

  it('a sender pays value, gas, L1 fee and operator fee, and each vault gets its part', async () => {
    const chain = await TestChain.start({ systemConfig: withOperatorFee });
    chain.l1.fees = { baseFee: 30n * GWEI, blobBaseFee: 5n };
    chain.l1.mine();
    const { block, receipt } = await chain.execute(ana, { to: bo.address, value: 1_000n, gas: 50_000n, tip: 3n });
    const { fees, gasUsed, effectiveGasPrice } = receipt;
    if (!fees) throw new Error('expected L1 fees');
    const baseFeePerGas = block.header.baseFeePerGas ?? 0n;
    expect(effectiveGasPrice).toBe(baseFeePerGas + 3n);
    expect(fees.l1Fee).toBeGreaterThan(0n);
    expect(fees.operatorFee).toBe(21_000n * 7n * 100n + 12_345n);
    expect(await chain.balance(ana.address)).toBe(
      INITIAL_BALANCE - 1_000n - gasUsed * effectiveGasPrice - fees.l1Fee - fees.operatorFee,
    );
    expect(await chain.balance(opPredeploys.baseFeeVault)).toBe(gasUsed * baseFeePerGas);
    expect(await chain.balance(opPredeploys.sequencerFeeVault)).toBe(gasUsed * 3n);
    expect(await chain.balance(opPredeploys.l1FeeVault)).toBe(fees.l1Fee);
    expect(await chain.balance(opPredeploys.operatorFeeVault)).toBe(fees.operatorFee);
  });

  it('a transaction that reverts pays for its gas and moves nothing else', async () => {
    const chain = await TestChain.start({ systemConfig: withOperatorFee });
    const { receipt } = await chain.execute(ana, {
      to: opPredeploys.l1Block,
      data: '0x01020304',
      value: 5n,
      gas: 60_000n,
    });
    expect(receipt).toMatchObject({ success: false, logs: [] });
    expect(await chain.engine.accountAtHead(ana.address)).toEqual({
      nonce: 1n,
      balance:
        INITIAL_BALANCE -
        receipt.gasUsed * receipt.effectiveGasPrice -
        (receipt.fees?.l1Fee ?? 0n) -
        (receipt.fees?.operatorFee ?? 0n),
    });
  });

  it('the DA footprint of a block stands in blobGasUsed and moves the base fee', async () => {
    const chain = await TestChain.start({ systemConfig: { daFootprintGasScalar: 40_000 } });
    const { block, receipt } = await chain.execute(ana, { to: bo.address });
    expect(block.header.blobGasUsed).toBe(receipt.fees?.daFootprint);
    expect(block.header.blobGasUsed).toBe(100n * 40_000n);
    expect(block.header.blobGasUsed).toBeGreaterThan(block.header.gasUsed);
  });

  it('the GasPriceOracle predeploy estimates the fee that is then paid', async () => {
    const chain = await TestChain.start();
    chain.l1.fees = { baseFee: 30n * GWEI, blobBaseFee: 5n };
    chain.l1.mine();
    await chain.step();
    const abi = parseAbi([
      'function getL1Fee(bytes) view returns (uint256)',
      'function isFjord() view returns (bool)',
      'function baseFeeScalar() view returns (uint32)',
    ]);
    expect(await call(chain, opPredeploys.gasPriceOracle, abi, 'isFjord')).toBe(true);
    expect(await call(chain, opPredeploys.gasPriceOracle, abi, 'baseFeeScalar')).toBe(
      feeScalars(systemConfig.scalar).baseFeeScalar,
    );
    const unsigned = bytesToHex(crypto.getRandomValues(new Uint8Array(1000)));
    const fee = await call(chain, opPredeploys.gasPriceOracle, abi, 'getL1Fee', [unsigned]);
    const { manager } = await chain.engine.stateAtHead();
    const exact = l1DataFee(sizeOf(fastLzLength(hexToBytes(unsigned)) + 68), await readL1FeeParams(manager));
    expect(fee).toBe(exact);
    expect(await manager.getAccount(createAddressFromString(opPredeploys.gasPriceOracle))).toBeDefined();
  });
});
