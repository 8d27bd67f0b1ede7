import type { BlockId } from '@openledger/chain-config';
import { Packr } from 'msgpackr';
import { type Address, bytesToHex, type Hex } from 'viem';
import { encodeBlob } from '../channels/blobCodec.ts';
import { encodeBatcherTransaction, type Frame } from '../channels/frame.ts';
import type { TxRequest } from '../l1/txJournal.ts';
import type { DataKind } from './batcherOptions.ts';
import { calldataGas } from './dataCost.ts';

/** A channel that is full and has to get to L1, as the journal keeps it. */
export type ClosedChannel = {
  /** 16 bytes. */
  readonly id: Hex;
  /** Order of closing. */
  readonly sequence: number;
  readonly kind: DataKind;
  /** Number of its first L2 block. */
  readonly first: bigint;
  readonly last: BlockId;
  readonly l2Transactions: number;
  readonly inputBytes: number;
  readonly compressedBytes: number;
  /** Contents of its frames, in order. */
  readonly frames: readonly Uint8Array[];
  /** Blobs of one L1 transaction; fixed when the channel is closed, whatever the options are after a restart. */
  readonly framesPerTx: number;
};

const packr = new Packr({ useRecords: false });

export const encodeClosedChannel = (c: ClosedChannel): Uint8Array =>
  packr.pack([
    c.id,
    c.kind,
    `${c.first}`,
    `${c.last.number}`,
    c.last.hash,
    c.l2Transactions,
    c.inputBytes,
    c.compressedBytes,
    c.frames,
    c.framesPerTx,
  ]);

export const decodeClosedChannel = (sequence: number, bytes: Uint8Array): ClosedChannel => {
  const [id, kind, first, lastNumber, lastHash, l2Transactions, inputBytes, compressedBytes, frames, framesPerTx] =
    packr.unpack(bytes) as [Hex, DataKind, string, string, Hex, number, number, number, Uint8Array[], number];
  return {
    id,
    sequence,
    kind,
    first: BigInt(first),
    last: { number: BigInt(lastNumber), hash: lastHash },
    l2Transactions,
    inputBytes,
    compressedBytes,
    frames: frames.map((frame) => new Uint8Array(frame)),
    framesPerTx,
  };
};

/** The names of the channel's L1 transactions, in the order in which they have to land. */
export const txIdsOf = (channel: ClosedChannel): string[] =>
  Array.from(
    { length: Math.ceil(channel.frames.length / channel.framesPerTx) },
    (_, index) => `${channel.id}:${index}`,
  );

/** One of them: a frame in calldata, or up to six in blobs of their own (ecotone/derivation.md). */
export const txRequestOf = (channel: ClosedChannel, index: number, inbox: Address): TxRequest => {
  const perTx = channel.framesPerTx;
  const payloads = channel.frames.slice(index * perTx, (index + 1) * perTx).map((data, offset) => {
    const frameNumber = index * perTx + offset;
    const frame: Frame = {
      channelId: channel.id,
      frameNumber,
      data,
      isLast: frameNumber === channel.frames.length - 1,
    };
    return encodeBatcherTransaction([frame]);
  });
  const data = channel.kind === 'blobs' ? '0x' : bytesToHex(payloads[0] ?? new Uint8Array());
  const blobs = channel.kind === 'blobs' ? payloads.map(encodeBlob) : [];
  return { id: `${channel.id}:${index}`, to: inbox, data, blobs, gas: calldataGas(data) };
};
