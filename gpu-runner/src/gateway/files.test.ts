import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { uploadTypedData } from '@openledger/contracts';
import type { Hex } from 'viem';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ContentStore, sha256Of } from '../store/contentStore.ts';
import { acceptUpload } from './files.ts';
import { SignedOnce } from './signedOnce.ts';

const NOW = 1_800_000_000_000;
const CHAIN = 16120;
const account = privateKeyToAccount(generatePrivateKey());
const bytes = Buffer.from('a contribution');

const sign = async (
  changes: { deadline?: bigint; nonce?: bigint; content?: Buffer; chainId?: number; size?: bigint } = {},
) => {
  const content = changes.content ?? bytes;
  const message = {
    contentHash: `0x${sha256Of(content)}` as Hex,
    size: changes.size ?? BigInt(content.length),
    nonce: changes.nonce ?? 1n,
    deadline: changes.deadline ?? BigInt(NOW / 1000) + 60n,
  };
  return {
    'x-upload-nonce': message.nonce.toString(),
    'x-upload-deadline': message.deadline.toString(),
    'x-upload-signature': await account.signTypedData(uploadTypedData({ chainId: changes.chainId ?? CHAIN }, message)),
  };
};

describe('acceptUpload', () => {
  let root: string;
  let context: Parameters<typeof acceptUpload>[0];
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'openledger-upload-'));
    context = { store: new ContentStore(root), chainId: CHAIN, now: () => NOW, usedNonces: new SignedOnce() };
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  it('keeps a signed file under its hash', async () => {
    const answer = await acceptUpload(context, sha256Of(bytes), bytes, await sign());
    expect(answer).toEqual({ sha256: sha256Of(bytes), size: bytes.length });
    expect(context.store.has(sha256Of(bytes))).toBe(true);
  });

  it('takes a signature once', async () => {
    const headers = await sign();
    await acceptUpload(context, sha256Of(bytes), bytes, headers);
    await expect(acceptUpload(context, sha256Of(bytes), bytes, headers)).rejects.toMatchObject({
      code: 'UPLOAD_UNAUTHORIZED',
    });
  });

  it('forgets used signatures once they have expired', async () => {
    await acceptUpload(context, sha256Of(bytes), bytes, await sign());
    expect(context.usedNonces.size).toBe(1);
    const later = { ...context, now: () => NOW + 3_600_000 };
    const headers = await sign({ nonce: 2n, deadline: BigInt(NOW / 1000) + 3_660n });
    await acceptUpload(later, sha256Of(bytes), bytes, headers);
    expect(context.usedNonces.size).toBe(1);
  });

  it.each([
    ['an empty file', 'FILE_EMPTY', Buffer.alloc(0), undefined],
    ['a file over 10 MB', 'FILE_TOO_LARGE', Buffer.alloc(10_000_001), undefined],
    ['other bytes than the name says', 'FILE_HASH_MISMATCH', Buffer.from('other'), sha256Of(bytes)],
  ])('refuses %s', async (_name, code, content, name) => {
    const upload = acceptUpload(context, name ?? sha256Of(content), content, await sign());
    await expect(upload).rejects.toMatchObject({ code });
    expect(context.store.has(sha256Of(content))).toBe(false);
  });

  it.each([
    ['no signature', async () => ({})],
    ['an expired deadline', () => sign({ deadline: BigInt(NOW / 1000) - 1n })],
    ['a deadline too far away', () => sign({ deadline: BigInt(NOW / 1000) + 7_200n })],
    ['a malformed signature', async () => ({ ...(await sign()), 'x-upload-signature': `0x${'zz'.repeat(65)}` })],
    ['a negative nonce', async () => ({ ...(await sign()), 'x-upload-nonce': '-1' })],
  ])('refuses %s', async (_name, headers) => {
    await expect(acceptUpload(context, sha256Of(bytes), bytes, await headers())).rejects.toMatchObject({
      code: 'UPLOAD_UNAUTHORIZED',
    });
    expect(context.store.has(sha256Of(bytes))).toBe(false);
  });
});
