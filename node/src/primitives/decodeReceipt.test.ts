import { pad } from 'viem';
import { describe, expect, it } from 'vitest';
import { decodeReceipt } from './decodeReceipt.ts';
import { decodeRlp } from './decodeRlp.ts';
import { encodeReceipt, type Receipt } from './receipt.ts';

const receipt: Receipt = {
  type: 2,
  success: true,
  gasUsed: 0n,
  cumulativeGasUsed: 21_000n,
  effectiveGasPrice: 0n,
  logsBloom: `0x${'00'.repeat(256)}`,
  logs: [{ address: `0x${'11'.repeat(20)}`, topics: [pad('0x01')], data: '0x02' }],
  contractAddress: null,
  depositNonce: null,
  depositReceiptVersion: null,
  fees: null,
};

describe('decodeReceipt', () => {
  it('reads what encodeReceipt wrote', () => {
    const variants: Partial<Receipt>[] = [
      {},
      { type: 0, success: false, logs: [] },
      { type: 0, postState: pad('0x07') },
      { type: 0x7e, depositNonce: 0n, depositReceiptVersion: 1 },
    ];
    for (const variant of variants) {
      const raw = encodeReceipt({ ...receipt, ...variant });
      const decoded = decodeReceipt(raw);
      expect(encodeReceipt({ ...receipt, ...decoded })).toBe(raw);
      expect(decoded).toMatchObject(variant);
    }
  });

  it('refuses what is not a receipt', () => {
    for (const raw of ['0x', '0x02', '0xc0', '0x02c0', `${encodeReceipt(receipt)}00`] as const) {
      expect(() => decodeReceipt(raw), raw).toThrow(expect.objectContaining({ code: 'TX_MALFORMED' }));
    }
  });
});

describe('decodeRlp', () => {
  it('takes nothing but the one valid form', () => {
    expect(decodeRlp('0xc22a80')).toEqual(['0x2a', '0x']);
    for (const raw of ['0x', '0x8100', '0xb801ff', '0xc22a8000', '0xc3', '0xf800'] as const) {
      expect(() => decodeRlp(raw), raw).toThrow(expect.objectContaining({ code: 'TX_MALFORMED' }));
    }
  });
});
