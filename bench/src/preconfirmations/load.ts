import { devnet, predeploys } from '@openledger/chain-config';
import { attributionLedgerAbi, type BatchOutput, encodePages, stakingAbi } from '@openledger/contracts';
import { bytesToHex, encodeFunctionData, type Hex, keccak256, stringToBytes } from 'viem';
import { type Signer, signers } from '../evm/accounts.ts';
import { RUNNERS } from './setting.ts';

const GWEI = 10n ** 9n;
const ROWS = 5;
const CALLDATA_BYTES = 100_000;
/** Bytes of an output with its rows in a page, nearly. */
const OUTPUT_BYTES = 96 + 7 * ROWS;

/** What a runner served: hashes that nobody can guess, five contributions with their weights. */
const output = (index: number): BatchOutput => ({
  modelId: BigInt(1 + (index % 3)),
  sourceKind: 2,
  sourceId: BigInt(1 + (index % 7)),
  method: 2,
  nonce: BigInt(index),
  promptHash: keccak256(stringToBytes(`prompt ${index}`)),
  outputHash: keccak256(stringToBytes(`output ${index}`)),
  promptTokens: 100 + (index % 50),
  outputTokens: 200 + (index % 90),
  feeWeight: BigInt(1_000 + index),
  rows: Array.from({ length: ROWS }, (_, row) => ({
    contributionId: BigInt(1 + (index % 40) * 10 + row),
    weight: BigInt(1 + ((index * 7 + row) % 1_000)),
  })),
});

const call = (
  runner: Signer,
  nonce: number,
  fields: { to: `0x${string}`; data: Hex; gas: bigint; value?: bigint },
): Hex =>
  runner.sign({
    type: 'eip1559',
    chainId: devnet.l2ChainId,
    nonce,
    maxFeePerGas: 100n * GWEI,
    maxPriorityFeePerGas: GWEI,
    ...fields,
  });

export type Load = {
  /** Raw transactions that make the senders bonded runners; to be included first. */
  readonly bonds: readonly Hex[];
  readonly batches: readonly { readonly raw: Hex; readonly hash: Hex }[];
  /** Attribution rows and bytes of calldata in one batch. */
  readonly rows: number;
  readonly bytes: number;
};

/** Batches of about 100 KB by several runners in turns, signed before the clock runs. */
export const makeLoad = (count: number): Load => {
  const runners = signers(RUNNERS);
  const bond = encodeFunctionData({ abi: stakingAbi, functionName: 'bond' });
  const perBatch = Math.floor(CALLDATA_BYTES / OUTPUT_BYTES);
  let bytes = 0;
  const batches = Array.from({ length: count }, (_, batch) => {
    const outputs = Array.from({ length: perBatch }, (__, i) => output(batch * perBatch + i));
    const pages = encodePages(outputs).map((page) => bytesToHex(page));
    const data = encodeFunctionData({ abi: attributionLedgerAbi, functionName: 'append', args: [pages] });
    bytes = data.length / 2 - 1;
    const runner = runners[batch % RUNNERS] as Signer;
    const raw = call(runner, 1 + Math.floor(batch / RUNNERS), {
      to: predeploys.attributionLedger,
      data,
      gas: 8_000_000n,
    });
    return { raw, hash: keccak256(raw) };
  });
  const bonds = runners.map((runner) =>
    call(runner, 0, { to: predeploys.staking, data: bond, gas: 300_000n, value: 10n ** 19n }),
  );
  return { bonds, batches, rows: perBatch * ROWS, bytes };
};
