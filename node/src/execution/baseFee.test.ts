import { devnet } from '@openledger/chain-config';
import { describe, expect, it } from 'vitest';
import type { Header } from '../primitives/header.ts';
import { decodeExtraData, encodeExtraData, nextBaseFee } from './baseFee.ts';

const params = (minBaseFee = 0n) => ({ eip1559Denominator: 250, eip1559Elasticity: 6, minBaseFee });
const parent = (gasUsed: bigint, given: { fee?: bigint; footprint?: bigint; minBaseFee?: bigint } = {}) =>
  ({
    timestamp: 0n,
    gasLimit: 60_000_000n,
    gasUsed,
    blobGasUsed: given.footprint ?? 0n,
    baseFeePerGas: given.fee ?? 1_000_000_000n,
    extraData: encodeExtraData('jovian', devnet.eip1559, params(given.minBaseFee)),
  }) as Header;
const next = (header: Header) => nextBaseFee(devnet, header, 1n);
const TARGET = 10_000_000n;

describe('the base fee', () => {
  it.each([
    ['stays at the target', TARGET, 1_000_000_000n],
    ['falls by 1/250 after an empty block', 0n, 996_000_000n],
    ['rises by 5/250 after a full block', 60_000_000n, 1_020_000_000n],
    ['moves in proportion', TARGET / 2n, 998_000_000n],
  ])('%s', (_what, used, fee) => expect(next(parent(used))).toBe(fee));

  it('rises by at least 1 wei, so that it can leave zero', () => {
    expect(next(parent(TARGET + 1n, { fee: 0n }))).toBe(1n);
  });

  it('never falls below the minimum of the parent', () => {
    expect(next(parent(0n, { minBaseFee: 999_000_000n }))).toBe(999_000_000n);
    expect(next(parent(TARGET, { fee: 5n, minBaseFee: 7n }))).toBe(7n);
  });

  it('counts the DA footprint where that is more than the gas', () => {
    expect(next(parent(0n, { footprint: 60_000_000n }))).toBe(1_020_000_000n);
    expect(next(parent(60_000_000n, { footprint: 1n }))).toBe(1_020_000_000n);
  });
});

describe('extraData', () => {
  it('is version 1, u32 denominator, u32 elasticity, u64 minimum (jovian/exec-engine.md)', () => {
    const encoded = encodeExtraData('jovian', devnet.eip1559, params(100_000n));
    expect(encoded).toBe('0x01000000fa0000000600000000000186a0');
    expect(decodeExtraData(encoded)).toEqual({ denominator: 250, elasticity: 6, minBaseFee: 100_000n });
  });
  it('is version 0 without a minimum in Holocene and Isthmus, and empty before', () => {
    const encoded = encodeExtraData('isthmus', devnet.eip1559, params(100_000n));
    expect(encoded).toBe('0x00000000fa00000006');
    expect(decodeExtraData(encoded)).toEqual({ denominator: 250, elasticity: 6, minBaseFee: 0n });
    expect(encodeExtraData('granite', devnet.eip1559, params())).toBe('0x');
  });
  it('has the parameters of the chain while SystemConfig has none', () => {
    const unset = { eip1559Denominator: 0, eip1559Elasticity: 0, minBaseFee: 0n };
    expect(encodeExtraData('holocene', { elasticity: 9, denominator: 50, denominatorCanyon: 77 }, unset)).toBe(
      '0x000000004d00000009',
    );
  });
});

describe('the base fee before Holocene', () => {
  const bedrock = { ...parent(0n), extraData: '0x', timestamp: 5n } as Header;
  it('has the parameters of the chain, with another denominator since Canyon', () => {
    const forks = { bedrock: 0n, regolith: 0n, canyon: 10n };
    expect(nextBaseFee({ forks, eip1559: devnet.eip1559 }, bedrock, 7n)).toBe(980_000_000n);
    expect(nextBaseFee({ forks, eip1559: devnet.eip1559 }, bedrock, 10n)).toBe(996_000_000n);
  });
});
