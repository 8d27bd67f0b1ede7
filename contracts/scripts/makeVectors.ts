import { writeFileSync } from 'node:fs';
import { bytesToHex } from 'viem';
import { badPages } from '../test/support/badPages.ts';
import { exampleOutput } from '../test/support/pages.ts';
import { type BatchOutput, outputIdOf } from '../ts/page/batchOutput.ts';
import { encodePages } from '../ts/page/encodePages.ts';
import { pageProof, pagesRoot } from '../ts/page/pagesTree.ts';

/** Values by name, integers of any size as decimal text. */
const plain = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (_key, cell) => (typeof cell === 'bigint' ? cell.toString() : cell)));

const several: BatchOutput[] = Array.from({ length: 5 }, (_, index) => ({
  ...exampleOutput,
  modelId: BigInt(index % 2),
  sourceKind: (1 + (index % 3)) as BatchOutput['sourceKind'],
  sourceId: 2n ** BigInt(10 * index),
  nonce: BigInt(index),
  feeWeight: BigInt(index) * 6n * 10n ** 15n,
  rows: exampleOutput.rows.slice(0, index % 3),
}));

const accepted = (name: string, outputs: readonly BatchOutput[], compress: boolean) => {
  const [page] = encodePages(outputs, { compress, targetBytes: 1e9 }) as [Uint8Array];
  return { name, page: bytesToHex(page), outputIds: outputs.map((one) => outputIdOf(one)), outputs: plain(outputs) };
};

const batch = encodePages(several, { targetBytes: 1 });

/** docs/spec/attribution-batch.md by example, for other implementations. */
export const vectors = {
  format: 'openledger attribution page 1',
  accepted: [
    accepted('one output', [exampleOutput], false),
    accepted('several outputs', several, false),
    accepted('no attributions, no fee', [{ ...exampleOutput, feeWeight: 0n, rows: [] }], false),
    accepted(
      'largest numbers',
      [
        {
          ...exampleOutput,
          nonce: 2n ** 53n - 1n,
          outputTokens: 2 ** 32 - 1,
          feeWeight: 2n ** 128n - 1n,
          rows: [{ contributionId: 2n ** 53n - 1n, weight: 2n ** 53n - 1n }],
        },
      ],
      false,
    ),
    accepted(
      'compressed',
      Array.from({ length: 20 }, (_, i) => ({ ...exampleOutput, nonce: BigInt(i) })),
      true,
    ),
  ],
  refused: badPages.map(([name, page, code]) => ({
    name,
    // A page of one repeated byte is told by its length.
    ...(page.length > 1_000
      ? { page: bytesToHex(page.subarray(0, 3)), repeatLastByteTo: page.length }
      : { page: bytesToHex(page) }),
    code,
  })),
  batch: {
    pages: batch.map((page) => bytesToHex(page)),
    pagesRoot: pagesRoot(batch),
    proofs: batch.map((_, index) => pageProof(batch, index)),
  },
};

export const vectorsFile = new URL('../vectors/attribution-page-1.json', import.meta.url);

if (process.argv[1] === new URL(import.meta.url).pathname) {
  writeFileSync(vectorsFile, `${JSON.stringify(vectors, null, 2)}\n`);
}
