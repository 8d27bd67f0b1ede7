import { printableUrl } from '@openledger/kit';
import { type Hex, hexToBytes } from 'viem';
import { nodeError } from '../errors.ts';
import { type Kzg, loadKzg } from './kzg.ts';
import type { L1Block } from './l1Source.ts';

const BLOB_BYTES = 131_072;
/** An endpoint that has no such route, or had it once. */
const ABSENT: ReadonlySet<number> = new Set([400, 404, 405, 410, 501]);

export type BeaconTiming = { readonly genesisTime: bigint; readonly secondsPerSlot: bigint };

/** Of `/eth/v1/beacon/genesis` and `/eth/v1/config/spec`. @throws TypeError */
export const parseBeaconTiming = (genesis: unknown, spec: unknown): BeaconTiming => {
  const { genesis_time: genesisTime } = (genesis as { data: { genesis_time: string } }).data;
  const { SECONDS_PER_SLOT: secondsPerSlot } = (spec as { data: { SECONDS_PER_SLOT: string } }).data;
  for (const value of [genesisTime, secondsPerSlot]) {
    if (!/^\d+$/.test(value)) throw new TypeError('not a decimal number');
  }
  return { genesisTime: BigInt(genesisTime), secondsPerSlot: BigInt(secondsPerSlot) };
};

/** Blobs of `/blobs/{id}` (hex strings) or of the older `/blob_sidecars/{slot}` (objects). @throws TypeError */
export const parseBlobs = (answer: unknown): Uint8Array[] =>
  (answer as { data: (Hex | { blob: Hex })[] }).data.map((item) => {
    const bytes = hexToBytes(typeof item === 'string' ? item : item.blob);
    if (bytes.length !== BLOB_BYTES) throw new TypeError('a blob of another size');
    return bytes;
  });

/** Blobs by their versioned hash, which is recomputed. @throws L1_BAD_DATA */
export const indexBlobs = (kzg: Kzg, blobs: readonly Uint8Array[]): ReadonlyMap<Hex, Uint8Array> => {
  try {
    return new Map(blobs.map((blob) => [kzg.versionedHash(kzg.blobToCommitment(blob)), blob]));
  } catch (cause) {
    throw nodeError('L1_BAD_DATA', 'the beacon endpoint answered with bytes that are not a blob', {}, cause);
  }
};

export type BeaconClient = { blobs(block: L1Block, hashes: readonly Hex[]): Promise<readonly Uint8Array[]> };

/**
 * Blobs over the beacon API. A beacon node names blocks by slot, computed from genesis time and slot length; anvil, which has
 * no `/config/spec`, by execution block hash. Nodes without `/blobs` (before Fulu) are asked for sidecars.
 * @throws L1_UNAVAILABLE, also for blobs that it no longer keeps; L1_BAD_DATA
 */
export const createBeaconClient = (url: string, limits: { timeoutMs?: number } = {}): BeaconClient => {
  const base = url.replace(/\/+$/, '');
  let timing: Promise<BeaconTiming | undefined> | undefined;

  /** `undefined` when the route or the block is absent. */
  const get = async (path: string): Promise<unknown> => {
    const failed = (reason: string) =>
      nodeError('L1_UNAVAILABLE', 'the beacon endpoint does not answer', { endpoint: printableUrl(url), reason });
    let response: Response;
    try {
      response = await fetch(`${base}${path}`, {
        headers: { accept: 'application/json' },
        signal: AbortSignal.timeout(limits.timeoutMs ?? 20_000),
      });
      if (response.ok) return await response.json();
    } catch (error) {
      throw failed(error instanceof Error ? error.name : 'UnknownError');
    }
    if (ABSENT.has(response.status)) return undefined;
    throw failed(`status ${response.status}`);
  };

  const parsed = <T>(parse: () => T): T => {
    try {
      return parse();
    } catch (cause) {
      throw nodeError(
        'L1_BAD_DATA',
        'the beacon endpoint’s answer is malformed',
        { endpoint: printableUrl(url) },
        cause,
      );
    }
  };

  const readTiming = async (): Promise<BeaconTiming | undefined> => {
    const spec = await get('/eth/v1/config/spec');
    if (spec === undefined) return undefined;
    const genesis = await get('/eth/v1/beacon/genesis');
    return parsed(() => parseBeaconTiming(genesis, spec));
  };

  const blockIdOf = async (block: L1Block): Promise<string> => {
    timing ??= readTiming();
    const known = await timing.catch((error) => {
      timing = undefined;
      throw error;
    });
    return known ? String((block.timestamp - known.genesisTime) / known.secondsPerSlot) : block.hash;
  };

  /** Whatever blobs the endpoint has for this block, all of them or those of the query. */
  const blobsOf = async (block: L1Block, query: string): Promise<ReadonlyMap<Hex, Uint8Array>> => {
    const id = await blockIdOf(block);
    const answer =
      (await get(`/eth/v1/beacon/blobs/${id}${query}`)) ?? (await get(`/eth/v1/beacon/blob_sidecars/${id}`));
    if (answer === undefined) {
      const meta = { endpoint: printableUrl(url), block: block.hash };
      throw nodeError('L1_UNAVAILABLE', 'the beacon endpoint does not have the blobs of this block', meta);
    }
    return indexBlobs(
      await loadKzg(),
      parsed(() => parseBlobs(answer)),
    );
  };

  return {
    blobs: async (block, hashes) => {
      if (hashes.length === 0) return [];
      const query = hashes.map((hash) => `versioned_hashes=${hash}`).join('&');
      let found = await blobsOf(block, `?${query}`);
      // Some endpoints read one value of a repeated parameter only.
      if (hashes.some((hash) => !found.has(hash))) found = await blobsOf(block, '');
      return hashes.map((hash) => {
        const blob = found.get(hash);
        if (blob) return blob;
        throw nodeError('L1_BAD_DATA', 'no blob of the beacon endpoint has the asked versioned hash', { hash });
      });
    },
  };
};
