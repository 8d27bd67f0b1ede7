import { type Address, concatHex, type Hex, keccak256, numberToHex } from 'viem';
import { expect } from 'vitest';
import type { BridgeClients } from './bridgeClients.ts';

/** Wei, but for `l1BaseFee`, which is wei per gas. */
type Fees = {
  readonly l1Fee: bigint;
  readonly operatorFee: bigint;
  readonly total: bigint;
  readonly l1BaseFee: bigint;
};

type FeeFields = { readonly operatorFeeScalar: Hex; readonly operatorFeeConstant: Hex };

/** What viem's estimates say of a call, and what its receipt and the sender's balance say after the next block. */
const compareFees = async (
  clients: BridgeClients,
  given: { to: Address; value: bigint; data: Hex },
): Promise<{ estimated: Fees; paid: Fees }> => {
  const { l2, l2Wallet, account, rollup } = clients;
  const call = { ...given, account };
  const estimated = {
    l1Fee: await l2.estimateL1Fee(call),
    operatorFee: await l2.estimateOperatorFee(call),
    total: await l2.estimateTotalFee(call),
    l1BaseFee: await l2.getL1BaseFee(),
  };
  const before = await l2.getBalance({ address: account.address });
  const hash = await l2Wallet.sendTransaction(call);
  // The block has the L1 origin and the base fee that the estimates were made with.
  await rollup.sequencer.step();
  const { gasUsed, l1Fee, l1GasPrice } = await l2.getTransactionReceipt({ hash });
  // viem leaves these fields of op-geth's receipt out.
  const fields = (await l2.request({ method: 'eth_getTransactionReceipt', params: [hash] })) as unknown as FeeFields;
  const operatorFee = gasUsed * BigInt(fields.operatorFeeScalar) * 100n + BigInt(fields.operatorFeeConstant);
  const after = await l2.getBalance({ address: account.address });
  await rollup.turn();
  const total = before - after - given.value;
  return { estimated, paid: { l1Fee: l1Fee ?? 0n, operatorFee, total, l1BaseFee: l1GasPrice ?? 0n } };
};

/** The estimates are right to the wei, but for what the L1 fee of a signature can only be guessed to be. */
export const expectFeesAsEstimated = async (clients: BridgeClients, to: Address): Promise<void> => {
  const noise = (words: number) => concatHex(Array.from({ length: words }, (_, i) => keccak256(numberToHex(i))));
  const small = await compareFees(clients, { to, value: 7n, data: noise(1) });
  // Up to 100 bytes of compressed data cost the same, so that nothing is left to estimate.
  expect(small.estimated).toEqual(small.paid);
  for (const data of [noise(60), `0x${'01'.repeat(4_000)}`] as const) {
    const { estimated, paid } = await compareFees(clients, { to, value: 7n, data });
    const perByte = small.paid.l1Fee / 100n;
    expect(Number(estimated.l1Fee - paid.l1Fee)).toBeGreaterThanOrEqual(0);
    // GasPriceOracle takes 68 incompressible bytes for a signature of 67 or 68, and viem a stub for the fee fields.
    expect(Number(estimated.l1Fee - paid.l1Fee)).toBeLessThan(Number(4n * perByte));
    expect({ ...estimated, l1Fee: 0n, total: estimated.total - estimated.l1Fee }).toEqual({
      ...{ ...paid, l1Fee: 0n, total: paid.total - paid.l1Fee },
    });
  }
};
