import { concat, encodeAbiParameters, hashTypedData, keccak256, recoverTypedDataAddress, stringToHex } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { describe, expect, it } from 'vitest';
import { uploadTypedData, voucherTypedData } from './eip712.ts';

const signer = privateKeyToAccount(`0x${'11'.repeat(32)}`);
const jobs = '0x4f70656e4c656467657200000000000000000003';
const text = (value: string) => keccak256(stringToHex(value));
const upload = { contentHash: `0x${'ab'.repeat(32)}`, size: 12n, nonce: 3n, deadline: 99n } as const;

describe('typed data', () => {
  it('of a voucher names the chain and the contract', async () => {
    const typedData = voucherTypedData({ chainId: 7, jobs }, { channelId: 1n, cumulativeAmount: 2n });
    expect(typedData.domain).toEqual({ name: 'OpenLedger Jobs', version: '1', chainId: 7, verifyingContract: jobs });
    const signature = await signer.signTypedData(typedData);
    expect(await recoverTypedDataAddress({ ...typedData, signature })).toBe(signer.address);
  });

  it('of an upload is hashed by EIP-712 with a domain of name, version and chain', () => {
    const domain = encodeAbiParameters(
      [{ type: 'bytes32' }, { type: 'bytes32' }, { type: 'bytes32' }, { type: 'uint256' }],
      [text('EIP712Domain(string name,string version,uint256 chainId)'), text('OpenLedger Files'), text('1'), 7n],
    );
    const struct = encodeAbiParameters(
      [{ type: 'bytes32' }, { type: 'bytes32' }, { type: 'uint64' }, { type: 'uint256' }, { type: 'uint64' }],
      [
        text('Upload(bytes32 contentHash,uint64 size,uint256 nonce,uint64 deadline)'),
        upload.contentHash,
        upload.size,
        upload.nonce,
        upload.deadline,
      ],
    );
    const expected = keccak256(concat(['0x1901', keccak256(domain), keccak256(struct)]));
    expect(hashTypedData(uploadTypedData({ chainId: 7 }, upload))).toBe(expected);
  });
});
