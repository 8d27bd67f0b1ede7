import fc from 'fast-check';
import {
  bytesToHex,
  decodeErrorResult,
  decodeFunctionResult,
  encodeFunctionData,
  type Hex,
  hexToString,
  trim,
} from 'viem';
import { expect, it } from 'vitest';
import { outputsOf } from '../ts/page/batchOutput.ts';
import { decodePage } from '../ts/page/decodePage.ts';
import { encodePages } from '../ts/page/encodePages.ts';
import { PageDecodeError } from '../ts/page/errors.ts';
import { pageDecoderAbi, pageDecoderBytecode } from './generated/PageDecoder.ts';
import { account, startChain } from './support/chain.ts';
import { revertData } from './support/contract.ts';
import { arbitraryOutputs, exampleOutput } from './support/pages.ts';
import { create } from './support/system.ts';

const chain = await startChain();
const decoder = await create(chain, pageDecoderBytecode);

/** What the EVM makes of a page: its outputs, or the code. */
const decodeInEvm = async (page: Uint8Array): Promise<unknown> => {
  const data = encodeFunctionData({ abi: pageDecoderAbi, functionName: 'decode', args: [bytesToHex(page)] });
  try {
    const answer = await chain.call({ from: account(0).address, to: decoder, data });
    const outputs = decodeFunctionResult({ abi: pageDecoderAbi, functionName: 'decode', data: answer });
    return outputs.map(({ contributionIds, weights, promptTokens, outputTokens, ...output }) => ({
      ...output,
      promptTokens: Number(promptTokens),
      outputTokens: Number(outputTokens),
      rows: contributionIds.map((contributionId, row) => ({ contributionId, weight: weights[row] })),
    }));
  } catch (error) {
    const reason = revertData(error);
    if (!reason) throw error;
    const { args } = decodeErrorResult({ abi: pageDecoderAbi, data: reason });
    return hexToString(trim(args?.[0] as Hex, { dir: 'right' }));
  }
};

const decodeHere = (page: Uint8Array): unknown => {
  try {
    return outputsOf(decodePage(page));
  } catch (error) {
    if (!(error instanceof PageDecodeError)) throw error;
    return error.code;
  }
};

const pages = fc
  .record({
    outputs: arbitraryOutputs,
    compress: fc.boolean(),
    edits: fc.array(fc.record({ at: fc.nat({ max: 90 }), byte: fc.nat({ max: 255 }) }), { maxLength: 2 }),
    cut: fc.option(fc.nat({ max: 3 }), { nil: 0, freq: 2 }),
  })
  .map(({ outputs, compress, edits, cut }) => {
    const [page] = encodePages(outputs, { targetBytes: 1e9, compress }) as [Uint8Array];
    for (const { at, byte } of edits) page[at % page.length] = byte;
    return page.subarray(0, page.length - cut);
  });

it('the EVM reads every page as the nodes do, or refuses it for the same reason', async () => {
  const seen = new Map<string, number>();
  const check = fc.asyncProperty(fc.oneof(pages, fc.uint8Array({ maxLength: 60 })), async (page) => {
    const here = decodeHere(page);
    const kind = typeof here === 'string' ? here : 'accepted';
    seen.set(kind, (seen.get(kind) ?? 0) + 1);
    expect(await decodeInEvm(page)).toEqual(here);
  });
  await fc.assert(check, { numRuns: Number(process.env.PAGE_RUNS ?? 600) });
  expect(seen.get('accepted')).toBeGreaterThan(50);
  expect(seen.size).toBeGreaterThan(8);
}, 120_000);

it('the EVM reads a page with as many rows as there may be within a transaction', async () => {
  const rows = Array.from({ length: 4_096 }, (_, i) => ({
    contributionId: BigInt(3 * i),
    weight: 40_000n + BigInt(i),
  }));
  const [page] = encodePages([{ ...exampleOutput, rows }]) as [Uint8Array];
  const data = encodeFunctionData({ abi: pageDecoderAbi, functionName: 'gasOf', args: [bytesToHex(page)] });
  const answer = await chain.call({ from: account(0).address, to: decoder, data });
  const gas = decodeFunctionResult({ abi: pageDecoderAbi, functionName: 'gasOf', data: answer });
  const calldata = 40n * BigInt(page.length);
  // EIP-7825: no transaction may have more than 2^24.
  expect(gas + calldata).toBeLessThan(16_777_216n);
}, 60_000);
