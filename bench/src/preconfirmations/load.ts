import { devnet, predeploys } from '@openledger/chain-config';
import { attributionLedgerAbi, stakingAbi } from '@openledger/contracts';
import { encodeFunctionData, type Hex, keccak256 } from 'viem';
import { type Signer, signers } from '../evm/accounts.ts';
import { hexesOf, makeBatch, usual } from '../lane/makeBatches.ts';
import { RUNNERS } from './setting.ts';

const GWEI = 10n ** 9n;
/** Attributions in a batch: about 100 KB of calldata. */
const EVENTS = 8_000;

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
  /** Attribution rows and bytes of calldata in a batch, on average. */
  readonly rows: number;
  readonly bytes: number;
};

/** Batches of about 100 KB by several runners in turns, signed before the clock runs. */
export const makeLoad = (count: number): Load => {
  const runners = signers(RUNNERS);
  const bond = encodeFunctionData({ abi: stakingAbi, functionName: 'bond' });
  let [bytes, rows] = [0, 0];
  const batches = Array.from({ length: count }, (_, batch) => {
    const { pages, events } = makeBatch(batch, EVENTS, usual);
    const data = encodeFunctionData({ abi: attributionLedgerAbi, functionName: 'append', args: [hexesOf(pages)] });
    bytes += (data.length / 2 - 1) / count;
    rows += events / count;
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
  return { bonds, batches, rows, bytes };
};
