import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Fork } from '@openledger/chain-config';
import { type Hex, hexToBytes } from 'viem';
import { fastLzLength } from '../../../node/src/execution/fastLz.ts';
import { type L1FeeParams, l1DataFee, l1FeeOf, sizeScaledOf } from '../../../node/src/execution/l1Cost.ts';
import type { Case, Suite } from '../suite.ts';
import { expectEqual } from './support/expect.ts';

type Fee = { readonly gas: string; readonly fee: string };
type Params = Readonly<Record<string, string | number>>;
type Vectors = {
  readonly params: Params;
  readonly emptyTx: Hex;
  readonly emptyTx_expected: Readonly<Record<string, Fee>>;
  readonly fjord_min_bound_fastlz_sizes: readonly number[];
  readonly fjord_above_min_fastlz_sizes: readonly number[];
  readonly fjord_solidity_parity: Params;
  readonly fastlz_compressed_length: readonly { readonly input: Hex; readonly len: number }[];
};

const toParams = (given: Params): L1FeeParams => ({
  baseFee: BigInt(given.baseFee ?? 0),
  overhead: BigInt(given.overhead ?? 0),
  scalar: BigInt(given.scalar ?? 0),
  blobBaseFee: BigInt(given.blobBaseFee ?? 0),
  baseFeeScalar: Number(given.baseFeeScalar ?? 0),
  blobBaseFeeScalar: Number(given.blobBaseFeeScalar ?? 0),
  operatorFeeScalar: 0,
  operatorFeeConstant: 0n,
  daFootprintGasScalar: 0,
});

/** FastLZ lengths and L1 data fees of every fork, as op-geth's own tests state them. */
export const l1Cost: Suite = {
  name: 'l1-cost',
  cases: async (fixtures) => {
    const path = join(fixtures, 'op-geth', 'l1-cost-vectors.json');
    if (!existsSync(path)) return undefined;
    const vectors = JSON.parse(readFileSync(path, 'utf8')) as Vectors;
    const params = toParams(vectors.params);
    const expected = vectors.emptyTx_expected;
    const fees = Object.entries(expected).map(([name, { gas, fee }]): Case => {
      const fork = name.split('_')[0] as Fork;
      return {
        name: `empty transaction, ${name}`,
        run: () =>
          expectEqual(
            l1FeeOf(fork, hexToBytes(vectors.emptyTx), params),
            { l1Fee: BigInt(fee), l1GasUsed: BigInt(gas) },
            name,
          ),
      };
    });
    const minimum = BigInt(expected.fjord_minimum?.fee ?? 0);
    const bounds = [
      ...vectors.fjord_min_bound_fastlz_sizes.map((size) => ({ size, above: false })),
      ...vectors.fjord_above_min_fastlz_sizes.map((size) => ({ size, above: true })),
    ].map(
      ({ size, above }): Case => ({
        name: `Fjord fee of FastLZ size ${size} is ${above ? 'above' : 'at'} the minimum`,
        run: () => expectEqual(l1DataFee(sizeScaledOf(size), params) > minimum, above, 'above the minimum'),
      }),
    );
    const solidity = vectors.fjord_solidity_parity;
    const size = sizeScaledOf(Number(solidity.fastLzSize));
    const oracle: Case = {
      name: 'Fjord fee of the Solidity oracle',
      run: () => {
        expectEqual(l1DataFee(size, toParams(solidity)), BigInt(solidity.fee ?? 0), 'fee');
        expectEqual((size * 16n) / 1_000_000n, BigInt(solidity.gas ?? 0), 'gas');
      },
    };
    const lengths = vectors.fastlz_compressed_length.map(
      ({ input, len }, index): Case => ({
        name: `FastLZ length ${index}`,
        run: () => expectEqual(fastLzLength(hexToBytes(input)), len, 'length'),
      }),
    );
    return [...fees, ...bounds, oracle, ...lengths];
  },
};
