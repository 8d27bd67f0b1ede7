import fc from 'fast-check';
import { bytesToHex } from 'viem';
import type { BatchOutput } from '../../ts/page/batchOutput.ts';

/** Small numbers and the edges of their forms come up as often as anything else. */
const safe = fc.oneof(
  fc.bigInt({ min: 0n, max: 300n }),
  fc.constantFrom(0n, 127n, 128n, 16_383n, 16_384n, 2n ** 53n - 1n),
  fc.bigInt({ min: 0n, max: 2n ** 53n - 1n }),
);
const uint32 = fc.oneof(fc.constantFrom(0, 127, 128, 2 ** 32 - 1), fc.nat({ max: 2 ** 32 - 1 }));
const hash = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => bytesToHex(bytes));
const rows = fc
  .uniqueArray(fc.record({ contributionId: safe, weight: safe.map((weight) => (weight === 0n ? 1n : weight)) }), {
    selector: (row) => row.contributionId,
    maxLength: 6,
  })
  .map((all) => all.sort((a, b) => (a.contributionId < b.contributionId ? -1 : 1)));

const output: fc.Arbitrary<BatchOutput> = fc.record({
  modelId: safe,
  sourceKind: fc.constantFrom(1 as const, 2 as const, 3 as const),
  sourceId: safe,
  method: fc.constantFrom(1, 2, 255),
  nonce: safe,
  promptHash: hash,
  outputHash: hash,
  promptTokens: uint32,
  outputTokens: uint32,
  feeWeight: fc.oneof(
    fc.constantFrom(0n, 1n, 10n ** 15n, 6n * 10n ** 15n, 2n ** 128n - 1n),
    fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }),
  ),
  rows,
});

export const arbitraryOutputs: fc.Arbitrary<BatchOutput[]> = fc.array(output, { minLength: 1, maxLength: 8 });

export const exampleOutput: BatchOutput = {
  modelId: 5n,
  sourceKind: 2,
  sourceId: 7n,
  method: 2,
  nonce: 300n,
  promptHash: `0x${'aa'.repeat(32)}`,
  outputHash: `0x${'bb'.repeat(32)}`,
  promptTokens: 11,
  outputTokens: 22,
  feeWeight: 100n,
  rows: [
    { contributionId: 10n, weight: 9n },
    { contributionId: 13n, weight: 128n },
  ],
};
