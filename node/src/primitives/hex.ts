import type { Hex } from 'viem';

/** Buffer's own conversions, which are native: channels and calldata are megabytes. The input has been checked to be hex. */
export const fromHex = (value: Hex): Uint8Array => {
  const bytes = Buffer.from(value.slice(2), 'hex');
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
};

export const toHex = (bytes: Uint8Array): Hex =>
  `0x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex')}`;
