import { devnet, packFeeScalars, type SystemConfig } from '@openledger/chain-config';
import { type Address, concatHex, encodeAbiParameters, type Hex, numberToHex, pad } from 'viem';
import { describe, expect, it } from 'vitest';
import type { L1Log } from './l1Source.ts';
import { CONFIG_UPDATE_TOPIC, parseConfigUpdate, updateSystemConfig } from './systemConfigUpdates.ts';

const contract: Address = `0x${'c0'.repeat(20)}`;
const batcher: Address = `0x${'b1'.repeat(20)}`;
const start: SystemConfig = { ...devnet.systemConfig, batcherAddress: batcher, overhead: 5n };
const word = (value: bigint | number): Hex => numberToHex(value, { size: 32 });

const log = (type: number, payload: Hex, change: Partial<L1Log> = {}): L1Log => ({
  address: contract,
  topics: [CONFIG_UPDATE_TOPIC, word(0), word(type)],
  data: encodeAbiParameters([{ type: 'bytes' }], [payload]),
  logIndex: 0n,
  ...change,
});
const rules = (forks = devnet.forks) => ({ forks, l1SystemConfigAddress: contract });
const after = (...logs: L1Log[]) => updateSystemConfig(start, [{ success: true, logs }], rules(), 10n);

describe('SystemConfig updates', () => {
  const other: Address = `0x${'b2'.repeat(20)}`;
  const scalar = packFeeScalars({ baseFeeScalar: 7, blobBaseFeeScalar: 8 });
  it.each([
    ['0 batcher', log(0, pad(other, { size: 32 })), { batcherAddress: other }],
    ['1 fee scalars', log(1, concatHex([word(99n), word(scalar)])), { scalar, overhead: 0n }],
    ['2 gas limit', log(2, word(31_000_000n)), { gasLimit: 31_000_000n }],
    ['3 unsafe block signer', log(3, pad(other, { size: 32 })), {}],
    ['4 EIP-1559', log(4, word((300n << 32n) | 9n)), { eip1559Denominator: 300, eip1559Elasticity: 9 }],
    ['5 operator fee', log(5, word((3n << 64n) | 4n)), { operatorFeeScalar: 3, operatorFeeConstant: 4n }],
    ['6 minimum base fee', log(6, word(12n)), { minBaseFee: 12n }],
    ['7 DA footprint', log(7, word(600)), { daFootprintGasScalar: 600 }],
  ])('type %s', (_what, update, changes) => {
    expect(after(update)).toEqual({ ...start, ...changes });
  });

  it('come in log order, the last one wins', () => {
    expect(after(log(2, word(1)), log(2, word(2)), log(6, word(3)))).toEqual({
      ...start,
      gasLimit: 2n,
      minBaseFee: 3n,
    });
  });

  it.each([
    ['another event version', log(2, word(1), { topics: [CONFIG_UPDATE_TOPIC, word(1), word(2)] })],
    ['an unknown type', log(8, word(1))],
    ['a huge type', log(2, word(1), { topics: [CONFIG_UPDATE_TOPIC, word(0), `0x${'ff'.repeat(32)}`] })],
    ['a missing topic', log(2, word(1), { topics: [CONFIG_UPDATE_TOPIC, word(0)] })],
    ['no data', log(2, '0x', { data: '0x' })],
    ['a wrong pointer', log(2, '0x', { data: concatHex([word(33), word(32), word(1)]) })],
    ['a wrong length', log(2, '0x', { data: concatHex([word(32), word(33), word(1)]) })],
    ['a byte too many', log(2, '0x', { data: concatHex([word(32), word(32), word(1), '0x00']) })],
    ['a dirty address', log(0, `0x${'ff'.repeat(32)}`)],
    ['a gas limit above 64 bits', log(2, word(1n << 64n))],
    ['a zero denominator with elasticity', log(4, word(6))],
    ['a DA scalar above 16 bits', log(7, word(65_536))],
  ])('with %s are refused and skipped, the others apply', (_what, bad) => {
    expect(() => parseConfigUpdate(bad)).toThrow(
      expect.objectContaining({ code: 'SYSTEM_CONFIG_UPDATE_INVALID', handling: 'reject' }),
    );
    expect(after(log(6, word(3)), bad, log(7, word(4)))).toEqual({ ...start, minBaseFee: 3n, daFootprintGasScalar: 4 });
  });

  it.each([
    ['of version 2', 2n << 248n],
    ['of version 1 with padding', (1n << 248n) | (1n << 64n)],
    ['of version 0 with padding', 1n << 32n],
  ])('keep the old scalars when Ecotone gets a word %s; before it the words are taken as they are', (_what, word_) => {
    const update = log(1, concatHex([word(99n), word(word_)]));
    expect(after(update)).toEqual(start);
    const bedrock = updateSystemConfig(start, [{ success: true, logs: [update] }], rules({ bedrock: 0n }), 10n);
    expect(bedrock).toEqual({ ...start, overhead: 99n, scalar: word_ });
  });

  it('are those of the contract, in transactions that succeeded', () => {
    expect(after(log(2, word(1), { address: batcher }))).toEqual(start);
    expect(updateSystemConfig(start, [{ success: false, logs: [log(2, word(1))] }], rules(), 10n)).toEqual(start);
  });
});
