import type { Address, Hex, TypedDataDefinition } from 'viem';

export interface VoucherMessage {
  channelId: bigint;
  /** Wei of OPEN that the channel owes in all; never falls from one voucher to the next. */
  cumulativeAmount: bigint;
}

export interface UploadMessage {
  /** sha256 of the file. */
  contentHash: Hex;
  size: bigint;
  nonce: bigint;
  /** Unix seconds after which the signature is worth nothing. */
  deadline: bigint;
}

const voucherTypes = {
  Voucher: [
    { name: 'channelId', type: 'uint256' },
    { name: 'cumulativeAmount', type: 'uint256' },
  ],
} as const;

const uploadTypes = {
  Upload: [
    { name: 'contentHash', type: 'bytes32' },
    { name: 'size', type: 'uint64' },
    { name: 'nonce', type: 'uint256' },
    { name: 'deadline', type: 'uint64' },
  ],
} as const;

/** What a channel's payer signs; Jobs checks it on chain (`voucherDigest` returns the same hash). */
export function voucherTypedData(
  { chainId, jobs }: { chainId: number; jobs: Address },
  message: VoucherMessage,
): TypedDataDefinition<typeof voucherTypes, 'Voucher'> {
  return {
    domain: { name: 'OpenLedger Jobs', version: '1', chainId, verifyingContract: jobs },
    types: voucherTypes,
    primaryType: 'Voucher',
    message,
  };
}

/** What a contributor signs to upload a file. No contract checks it, hence no verifyingContract in the domain. */
export function uploadTypedData(
  { chainId }: { chainId: number },
  message: UploadMessage,
): TypedDataDefinition<typeof uploadTypes, 'Upload'> {
  return {
    domain: { name: 'OpenLedger Files', version: '1', chainId },
    types: uploadTypes,
    primaryType: 'Upload',
    message,
  };
}
