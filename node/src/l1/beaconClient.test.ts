import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { bytesToHex, type Hex, zeroHash } from 'viem';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createBeaconClient } from './beaconClient.ts';
import { type Kzg, loadKzg } from './kzg.ts';
import type { L1Block } from './l1Source.ts';

/** The beacon API of a node of a real network: slots, and only the routes that are put here. */
describe('a beacon node', () => {
  let server: Server;
  let url: string;
  let kzg: Kzg;
  let hash: Hex;
  const routes = new Map<string, unknown>();
  const calls: string[] = [];
  const blob = new Uint8Array(131_072).fill(7, 1, 9);
  const block: L1Block = {
    number: 1n,
    hash: zeroHash,
    parentHash: zeroHash,
    timestamp: 1_606_824_023n + 12n * 40n,
    baseFee: 0n,
    blobBaseFee: 1n,
    prevRandao: zeroHash,
    parentBeaconBlockRoot: zeroHash,
  };

  beforeAll(async () => {
    kzg = await loadKzg();
    hash = kzg.versionedHash(kzg.blobToCommitment(blob));
    server = createServer((request, response) => {
      const path = request.url?.split('?')[0] ?? '';
      calls.push(path);
      const answer = routes.get(path);
      response.writeHead(answer === undefined ? 404 : 200).end(JSON.stringify(answer ?? {}));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  beforeEach(() => {
    routes.clear();
    calls.length = 0;
    routes.set('/eth/v1/beacon/genesis', { data: { genesis_time: '1606824023' } });
    routes.set('/eth/v1/config/spec', { data: { SECONDS_PER_SLOT: '12' } });
  });

  it('is asked by slot, and for its clock only once', async () => {
    routes.set('/eth/v1/beacon/blobs/40', { data: [bytesToHex(blob)] });
    const client = createBeaconClient(url);
    expect(await client.blobs(block, [hash])).toEqual([blob]);
    await client.blobs(block, [hash]);
    expect(calls).toEqual([
      '/eth/v1/config/spec',
      '/eth/v1/beacon/genesis',
      '/eth/v1/beacon/blobs/40',
      '/eth/v1/beacon/blobs/40',
    ]);
  });

  it('is asked for sidecars when it has no blobs route', async () => {
    routes.set('/eth/v1/beacon/blob_sidecars/40', { data: [{ index: '0', blob: bytesToHex(blob) }] });
    expect(await createBeaconClient(url).blobs(block, [hash])).toEqual([blob]);
  });

  it('that no longer keeps the blobs is unavailable, not wrong', async () => {
    await expect(createBeaconClient(url).blobs(block, [hash])).rejects.toMatchObject({ code: 'L1_UNAVAILABLE' });
  });

  it('with a clock that is no number is wrong, and asked again', async () => {
    const client = createBeaconClient(url);
    routes.set('/eth/v1/config/spec', { data: { SECONDS_PER_SLOT: 'twelve' } });
    await expect(client.blobs(block, [hash])).rejects.toMatchObject({ code: 'L1_BAD_DATA' });
    routes.set('/eth/v1/config/spec', { data: { SECONDS_PER_SLOT: '12' } });
    routes.set('/eth/v1/beacon/blobs/40', { data: [bytesToHex(blob)] });
    expect(await client.blobs(block, [hash])).toEqual([blob]);
  });
});
