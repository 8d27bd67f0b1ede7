import { bytesToHex, type Hex, hexToBytes } from 'viem';
import { nodeError } from '../errors.ts';

/** A chunk of a channel (specs/protocol/derivation.md, "Frame Format"). */
export type Frame = {
  /** 16 bytes. */
  readonly channelId: Hex;
  readonly frameNumber: number;
  readonly data: Uint8Array;
  readonly isLast: boolean;
};

/** The only version of batcher transactions that carries frames. */
const VERSION = 0;
const CHANNEL_ID_BYTES = 16;
/** What a frame takes beside its data: channel id, number (u16), length (u32), last flag. */
export const FRAME_OVERHEAD = CHANNEL_ID_BYTES + 2 + 4 + 1;
/** Of a frame's data. */
export const MAX_FRAME_LEN = 1_000_000;
export const MAX_FRAME_NUMBER = 0xffff;

export const encodeFrame = ({ channelId, frameNumber, data, isLast }: Frame): Uint8Array => {
  const bytes = Buffer.alloc(FRAME_OVERHEAD + data.length);
  bytes.set(hexToBytes(channelId));
  bytes.writeUInt16BE(frameNumber, CHANNEL_ID_BYTES);
  bytes.writeUInt32BE(data.length, CHANNEL_ID_BYTES + 2);
  bytes.set(data, FRAME_OVERHEAD - 1);
  bytes[bytes.length - 1] = isLast ? 1 : 0;
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
};

/** The payload of a batcher transaction: its calldata, or the content of a blob. */
export const encodeBatcherTransaction = (frames: readonly Frame[]): Uint8Array =>
  new Uint8Array(Buffer.concat([Uint8Array.of(VERSION), ...frames.map(encodeFrame)]));

/** All frames of a batcher transaction; one bad frame spoils them all. @throws FRAME_MALFORMED */
export const parseFrames = (batcherTransaction: Uint8Array): Frame[] => {
  const fail = (reason: string) => nodeError('FRAME_MALFORMED', `batcher transaction: ${reason}`);
  if (batcherTransaction[0] !== VERSION) throw fail('not of version 0');
  if (batcherTransaction.length === 1) throw fail('no frames');
  const view = new DataView(batcherTransaction.buffer, batcherTransaction.byteOffset, batcherTransaction.length);
  const frames: Frame[] = [];
  for (let offset = 1; offset < batcherTransaction.length; ) {
    if (batcherTransaction.length - offset < FRAME_OVERHEAD) throw fail('a frame is cut short');
    const length = view.getUint32(offset + CHANNEL_ID_BYTES + 2);
    if (length > MAX_FRAME_LEN) throw fail(`a frame of ${length} bytes`);
    const start = offset + FRAME_OVERHEAD - 1;
    const last = batcherTransaction[start + length];
    if (last !== 0 && last !== 1)
      throw fail(last === undefined ? 'a frame is cut short' : 'a last flag of neither 0 nor 1');
    frames.push({
      channelId: bytesToHex(batcherTransaction.subarray(offset, offset + CHANNEL_ID_BYTES)),
      frameNumber: view.getUint16(offset + CHANNEL_ID_BYTES),
      data: batcherTransaction.slice(start, start + length),
      isLast: last === 1,
    });
    offset = start + length + 1;
  }
  return frames;
};
