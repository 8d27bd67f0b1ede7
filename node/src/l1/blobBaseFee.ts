const MIN_BLOB_BASE_FEE = 1n;

/** From `timestamp` (unix seconds) on, the blob base fee grows by e for every `updateFraction` of excess blob gas. */
export type BlobParameters = { readonly timestamp: bigint; readonly updateFraction: bigint };
/** In the order of time (EIP-7840, EIP-7892). */
export type BlobSchedule = readonly BlobParameters[];

const CANCUN = 3_338_477n;
/** EIP-7691; Osaka has the same. */
const PRAGUE = 5_007_716n;
const BPO1 = 8_346_193n;
const BPO2 = 11_684_671n;

const schedule = (cancun: bigint, prague: bigint, bpo1: bigint, bpo2: bigint): BlobSchedule => [
  { timestamp: cancun, updateFraction: CANCUN },
  { timestamp: prague, updateFraction: PRAGUE },
  { timestamp: bpo1, updateFraction: BPO1 },
  { timestamp: bpo2, updateFraction: BPO2 },
];

const pragueAtGenesis: BlobSchedule = [{ timestamp: 0n, updateFraction: PRAGUE }];

/** By L1 chain id: mainnet (EIP-8134, EIP-8135) and Sepolia. */
const schedules: Readonly<Record<number, BlobSchedule>> = {
  1: schedule(1_710_338_135n, 1_746_612_311n, 1_765_290_071n, 1_767_747_671n),
  11155111: schedule(1_706_655_072n, 1_741_159_776n, 1_761_017_184n, 1_761_607_008n),
};

/** The schedule of an L1; chains that aren't known, devnets among them, are taken to be Prague from genesis. */
export const blobScheduleOf = (l1ChainId: number): BlobSchedule => schedules[l1ChainId] ?? pragueAtGenesis;

export const updateFractionAt = (blobSchedule: BlobSchedule, timestamp: bigint): bigint =>
  blobSchedule.findLast((parameters) => parameters.timestamp <= timestamp)?.updateFraction ?? CANCUN;

/** EIP-4844 `fake_exponential(1, excess, fraction)`: the blob base fee in wei. */
export const blobBaseFeeOf = (excessBlobGas: bigint, updateFraction = PRAGUE): bigint => {
  let output = 0n;
  let term = MIN_BLOB_BASE_FEE * updateFraction;
  for (let i = 1n; term > 0n; i++) {
    output += term;
    term = (term * excessBlobGas) / (updateFraction * i);
  }
  return output / updateFraction;
};
