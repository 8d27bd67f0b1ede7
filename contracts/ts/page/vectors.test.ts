import { readFileSync } from 'node:fs';
import { bytesToHex, type Hex, hexToBytes } from 'viem';
import { describe, expect, it } from 'vitest';
import { vectors, vectorsFile } from '../../scripts/makeVectors.ts';
import { outputIdAt, outputsOf } from './batchOutput.ts';
import { decodePage } from './decodePage.ts';
import { pageProof, pagesRoot } from './pagesTree.ts';

/** The file as any other implementation reads it. */
const published = JSON.parse(readFileSync(vectorsFile, 'utf8')) as typeof vectors;

describe('the published vectors', () => {
  it('are those of the code', () => {
    expect(published).toEqual(vectors);
  });

  it.each(published.accepted)('decode: $name', ({ page, outputIds, outputs }) => {
    const decoded = decodePage(hexToBytes(page));
    const text = JSON.stringify(outputsOf(decoded), (_key, cell) => (typeof cell === 'bigint' ? `${cell}` : cell));
    expect(JSON.parse(text)).toEqual(outputs);
    expect(Array.from({ length: decoded.size }, (_, index) => outputIdAt(decoded, index))).toEqual(outputIds);
  });

  it.each(published.refused)('are refused: $name', ({ code, ...given }) => {
    const { page, repeatLastByteTo } = given as { page: Hex; repeatLastByteTo?: number };
    const bytes = hexToBytes(page);
    const whole = new Uint8Array(repeatLastByteTo ?? bytes.length).fill(bytes.at(-1) ?? 0);
    whole.set(bytes);
    expect(() => decodePage(whole)).toThrow(expect.objectContaining({ code }));
  });

  it('have roots and paths', () => {
    const pages = published.batch.pages.map((page) => hexToBytes(page));
    expect(pages.map((page) => bytesToHex(page))).toEqual(published.batch.pages);
    expect(pagesRoot(pages)).toBe(published.batch.pagesRoot);
    expect(pages.map((_, index) => pageProof(pages, index))).toEqual(published.batch.proofs);
  });
});
