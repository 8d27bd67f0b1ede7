import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Hex } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { afterEach, describe, expect, it } from 'vitest';
import { sha256Hex, uploadFile, uploadSigner } from '../src/index.ts';
import { signUpload } from '../src/uploads.ts';

const CHAIN_ID = 16120;
const account = privateKeyToAccount(`0x${'22'.repeat(32)}`);
const bytes = Buffer.from('a contribution');

describe('signUpload', () => {
  const messageOf = (headers: Awaited<ReturnType<typeof signUpload>>) => ({
    contentHash: sha256Hex(bytes),
    size: BigInt(bytes.length),
    nonce: BigInt(headers['x-upload-nonce']),
    deadline: BigInt(headers['x-upload-deadline']),
  });

  it('signs for exactly these bytes, for some minutes', async () => {
    const headers = await signUpload(account, CHAIN_ID, bytes);
    const message = messageOf(headers);
    const signature = headers['x-upload-signature'] as Hex;
    expect(await uploadSigner(CHAIN_ID, message, signature)).toBe(account.address);
    const seconds = Number(message.deadline) - Date.now() / 1000;
    expect(seconds).toBeGreaterThan(240);
    expect(seconds).toBeLessThanOrEqual(300);
    for (const changed of [
      { size: 1n },
      { nonce: 1n },
      { deadline: 1n },
      { contentHash: sha256Hex(Buffer.from('x')) },
    ]) {
      expect(await uploadSigner(CHAIN_ID, { ...message, ...changed }, signature)).not.toBe(account.address);
    }
    expect(await uploadSigner(1, message, signature)).not.toBe(account.address);
  });

  it('never signs the same message twice', async () => {
    const nonces = await Promise.all([1, 2, 3].map(() => signUpload(account, CHAIN_ID, bytes)));
    expect(new Set(nonces.map((headers) => headers['x-upload-nonce'])).size).toBe(3);
  });

  it('needs an account that signs typed data', async () => {
    const { signTypedData: _none, ...watchOnly } = account;
    await expect(signUpload(watchOnly as never, CHAIN_ID, bytes)).rejects.toThrow('typed data');
  });
});

describe('uploadFile', () => {
  let server: Server | undefined;
  afterEach(() => {
    server?.close();
    server = undefined;
  });

  const serve = (status: number, answer: string) =>
    new Promise<{ url: string; request: Promise<{ message: IncomingMessage; body: Buffer }> }>((listening) => {
      let received: (request: { message: IncomingMessage; body: Buffer }) => void;
      const request = new Promise<{ message: IncomingMessage; body: Buffer }>((resolve) => {
        received = resolve;
      });
      const listener = createServer(async (message, response) => {
        const chunks: Buffer[] = [];
        for await (const chunk of message) chunks.push(chunk);
        received({ message, body: Buffer.concat(chunks) });
        response.writeHead(status).end(answer);
      });
      server = listener.listen(0, '127.0.0.1', () =>
        listening({ url: `http://127.0.0.1:${(listener.address() as AddressInfo).port}/some/path`, request }),
      );
    });
  const upload = (url: string) => uploadFile({ url, account, chainId: CHAIN_ID, bytes });

  it('puts the bytes under their hash, signed', async () => {
    const answer = { sha256: sha256Hex(bytes).slice(2), size: bytes.length };
    const { url, request } = await serve(200, JSON.stringify(answer));
    expect(await upload(url)).toEqual(answer);
    const { message, body } = await request;
    expect([message.method, message.url]).toEqual(['PUT', `/v1/files/${answer.sha256}`]);
    expect(message.headers).toMatchObject({
      'content-type': 'application/octet-stream',
      'x-upload-signature': expect.stringMatching(/^0x[0-9a-f]{130}$/),
    });
    expect(body.equals(bytes)).toBe(true);
  });

  it('throws the store’s reason', async () => {
    const { url } = await serve(
      413,
      JSON.stringify({ error: { code: 'file_too_large', message: 'the file is too large' } }),
    );
    await expect(upload(url)).rejects.toMatchObject({
      message: 'the file is too large',
      cause: { code: 'file_too_large' },
    });
  });

  it.each([
    [502, '<html>bad gateway</html>'],
    [500, '{}'],
  ])('names the status %i when there is no reason in %s', async (status, body) => {
    const { url } = await serve(status, body);
    await expect(upload(url)).rejects.toThrow(`upload refused with status ${status}`);
  });
});
