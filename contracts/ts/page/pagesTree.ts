import { SimpleMerkleTree } from '@openzeppelin/merkle-tree';
import { encodeAbiParameters, type Hex, keccak256, zeroHash } from 'viem';

export type Keccak256 = (bytes: Uint8Array) => Hex;

/** Tree over a batch's pages as AttributionLedger builds it; `hash` may be a faster keccak256 than viem's. */
const pagesTree = (pages: readonly Uint8Array[], hash: Keccak256) =>
  SimpleMerkleTree.of(
    pages.map((page, index) => pageLeaf(index, hash(page))),
    { sortLeaves: false },
  );

const pageLeaf = (index: number, pageHash: Hex): Hex =>
  keccak256(keccak256(encodeAbiParameters([{ type: 'uint256' }, { type: 'bytes32' }], [BigInt(index), pageHash])));

export const pagesRoot = (pages: readonly Uint8Array[], hash: Keccak256 = keccak256): Hex =>
  pagesTree(pages, hash).root as Hex;

/** The siblings of page `index` from its leaf up, as OpenZeppelin's MerkleProof takes them. */
export const pageProof = (pages: readonly Uint8Array[], index: number, hash: Keccak256 = keccak256): Hex[] =>
  pagesTree(pages, hash).getProof(index) as Hex[];

export interface Settlement {
  /** As of batch sources: 1 training job, 2 channel, 3 inference job. */
  sourceKind: number;
  sourceId: bigint;
  payer: Hex;
  /** Wei of OPEN. */
  amount: bigint;
  splitVersion: number;
}

export interface BatchHeader {
  previousHead: Hex;
  runner: Hex;
  blockNumber: bigint;
  pageCount: number;
  pagesRoot: Hex;
  settlementsHash: Hex;
}

const headerComponents = [
  { name: 'previousHead', type: 'bytes32' },
  { name: 'runner', type: 'address' },
  { name: 'blockNumber', type: 'uint64' },
  { name: 'pageCount', type: 'uint32' },
  { name: 'pagesRoot', type: 'bytes32' },
  { name: 'settlementsHash', type: 'bytes32' },
] as const;

const settlementComponents = [
  { name: 'sourceKind', type: 'uint8' },
  { name: 'sourceId', type: 'uint256' },
  { name: 'payer', type: 'address' },
  { name: 'amount', type: 'uint256' },
  { name: 'splitVersion', type: 'uint32' },
] as const;

/** AttributionLedger.headAt(batchIndex) of a batch with this header. */
export const batchHead = (batchIndex: bigint, header: BatchHeader): Hex =>
  keccak256(
    encodeAbiParameters([{ type: 'uint256' }, { type: 'tuple', components: headerComponents }], [batchIndex, header]),
  );

export const settlementsHash = (settlements: readonly Settlement[]): Hex =>
  settlements.length === 0
    ? zeroHash
    : keccak256(encodeAbiParameters([{ type: 'tuple[]', components: settlementComponents }], [settlements]));
