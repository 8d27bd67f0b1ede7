import { attributionProof, contracts, readBatch } from '@openledger/client';
import { type BatchOutput, encodePages, outputIdOf } from '@openledger/contracts';
import { bytesToHex, encodeFunctionData, type Hex, keccak256, toHex } from 'viem';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../node/test/support/testServer.ts';
import { ana, OPEN } from '../node/test/support/wallets.ts';

const output = (nonce: number): BatchOutput => ({
  modelId: 3n,
  sourceKind: 2,
  sourceId: 7n,
  method: 2,
  nonce: BigInt(nonce),
  promptHash: keccak256(toHex(`prompt ${nonce}`)),
  outputHash: keccak256(toHex(`output ${nonce}`)),
  promptTokens: 11,
  outputTokens: 22,
  feeWeight: 5n * 10n ** 15n,
  rows: Array.from({ length: nonce % 5 }, (_, i) => ({ contributionId: BigInt(3 * i + nonce), weight: BigInt(i + 1) })),
});

/** A client that knows nothing but the chain proves any attribution to a contract on it. */
describe('an attribution is provable from the chain alone', () => {
  let server: TestServer;
  const outputs = Array.from({ length: 120 }, (_, nonce) => output(nonce));
  const { abi, address: to } = contracts.attributionLedger;
  const append = (pages: readonly Uint8Array[]): Hex =>
    encodeFunctionData({ abi, functionName: 'append', args: [pages.map((page) => bytesToHex(page))] });

  beforeAll(async () => {
    server = await startTestServer();
    const bond = encodeFunctionData({ abi: contracts.staking.abi, functionName: 'bond' });
    await server.chain.execute(ana, { to: contracts.staking.address, value: OPEN, data: bond });
    const pages = encodePages(outputs, { targetBytes: 1_000 });
    for (const some of [pages.slice(0, 1), pages.slice(1), [Uint8Array.of(9), ...pages.slice(0, 1)]]) {
      const { receipt } = await server.chain.execute(ana, { to, data: append(some), gas: 3_000_000n });
      expect(receipt.success).toBe(true);
    }
  });
  afterAll(() => server.close());

  it.each([0n, 1n, 2n])('in batch %i, each output by its id, each row', async (batchIndex) => {
    const batch = await readBatch(server.client, batchIndex);
    expect(batch.header.runner).toBe(ana.address);
    const known = outputs.filter((one) => {
      try {
        return attributionProof(batch, { outputId: outputIdOf(one) });
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
        return false;
      }
    });
    expect(known.length).toBeGreaterThan(3);
    for (const expected of known.filter((_, index) => index % 9 === 0)) {
      const { place, output: found } = attributionProof(batch, { outputId: outputIdOf(expected) });
      expect(found).toEqual(expected);
      for (const [row, { contributionId, weight }] of expected.rows.entries()) {
        const args = [place, BigInt(row)] as const;
        const proven = await server.client.readContract({ abi, address: to, functionName: 'proveAttribution', args });
        expect(proven).toEqual([outputIdOf(expected), contributionId, weight]);
      }
    }
  });

  it('but not in a batch that is not there, nor in a page that nodes reject', async () => {
    await expect(readBatch(server.client, 9n)).rejects.toThrow(RangeError);
    const batch = await readBatch(server.client, 2n);
    expect(() => attributionProof(batch, { page: 0, output: 0 })).toThrow('version 9');
    expect(() => attributionProof(batch, { page: 7, output: 0 })).toThrow(RangeError);
  });
});
