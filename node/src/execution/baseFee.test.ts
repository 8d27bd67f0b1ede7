import { describe, expect, it } from 'vitest';
import type { Header } from '../primitives/header.ts';
import { decodeExtraData, encodeExtraData, nextBaseFee } from './baseFee.ts';

const parent = (gasUsed: bigint, given: { fee?: bigint; footprint?: bigint; minBaseFee?: bigint } = {}) =>
  ({
    gasLimit: 60_000_000n,
    gasUsed,
    blobGasUsed: given.footprint ?? 0n,
    baseFeePerGas: given.fee ?? 1_000_000_000n,
    extraData: encodeExtraData({ denominator: 250, elasticity: 6, minBaseFee: given.minBaseFee ?? 0n }),
  }) as Header;
const TARGET = 10_000_000n;

describe('the base fee', () => {
  it.each([
    ['stays at the target', TARGET, 1_000_000_000n],
    ['falls by 1/250 after an empty block', 0n, 996_000_000n],
    ['rises by 5/250 after a full block', 60_000_000n, 1_020_000_000n],
    ['moves in proportion', TARGET / 2n, 998_000_000n],
  ])('%s', (_what, used, next) => expect(nextBaseFee(parent(used))).toBe(next));

  it('rises by at least 1 wei, so that it can leave zero', () => {
    expect(nextBaseFee(parent(TARGET + 1n, { fee: 0n }))).toBe(1n);
  });

  it('never falls below the minimum of the parent', () => {
    expect(nextBaseFee(parent(0n, { minBaseFee: 999_000_000n }))).toBe(999_000_000n);
    expect(nextBaseFee(parent(TARGET, { fee: 5n, minBaseFee: 7n }))).toBe(7n);
  });

  it('counts the DA footprint where that is more than the gas', () => {
    expect(nextBaseFee(parent(0n, { footprint: 60_000_000n }))).toBe(1_020_000_000n);
    expect(nextBaseFee(parent(60_000_000n, { footprint: 1n }))).toBe(1_020_000_000n);
  });
});

describe('extraData', () => {
  it('is version 1, u32 denominator, u32 elasticity, u64 minimum (jovian/exec-engine.md)', () => {
    const given = { denominator: 250, elasticity: 6, minBaseFee: 100_000n };
    expect(encodeExtraData(given)).toBe('0x01000000fa0000000600000000000186a0');
    expect(decodeExtraData(encodeExtraData(given))).toEqual(given);
  });
});
