import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer, text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { guardedFetch, limited } from './guardedFetch.ts';

describe('guardedFetch', () => {
  let server: Server;
  let port: number;
  let asked = 0;
  beforeAll(async () => {
    server = createServer((request, response) => {
      asked++;
      if (request.url === '/moved') response.writeHead(302, { location: '/' }).end();
      else if (request.url === '/broken') response.writeHead(500).end('it broke');
      else response.end(`hello ${request.headers['x-who']}`);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    port = (server.address() as AddressInfo).port;
  });
  afterAll(() => new Promise((resolve) => server.close(resolve)));

  const ask = (url: string, allowPrivate: boolean) => guardedFetch(url, { headers: { 'x-who': 'ana' }, allowPrivate });

  it('answers with the body, where private addresses are allowed', async () => {
    expect(await text(await ask(`http://127.0.0.1:${port}/`, true))).toBe('hello ana');
    expect(await text(await ask(`http://localhost:${port}/`, true))).toBe('hello ana');
  });

  it('follows no redirect, and says what was answered', async () => {
    await expect(ask(`http://127.0.0.1:${port}/moved`, true)).rejects.toMatchObject({
      code: 'PEER_REFUSED',
      meta: { status: 302 },
    });
    await expect(ask(`http://127.0.0.1:${port}/broken`, true)).rejects.toThrow(/500: it broke/);
  });

  it('never asks an address that is not public, by number or by name', async () => {
    const before = asked;
    const hosts = [`127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`, `[::ffff:127.0.0.1]:${port}`, '10.0.0.1'];
    for (const host of [
      ...hosts,
      '169.254.169.254',
      '192.168.1.1',
      '0.0.0.0',
      '[fe80::1]',
      '[fd00::1]',
      '100.64.0.1',
    ]) {
      await expect(ask(`http://${host}/`, false), host).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' });
    }
    expect(asked).toBe(before);
  });

  it('asks by http and https only', async () => {
    for (const url of ['file:///etc/passwd', 'ftp://example.org/', 'no url', '']) {
      await expect(ask(url, true)).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' });
    }
  });

  it('a server that is gone is unreachable', async () => {
    await expect(ask('http://127.0.0.1:1/', true)).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' });
  });

  it('reads no more than the limit', async () => {
    const response = await ask(`http://127.0.0.1:${port}/`, true);
    await expect(buffer(limited(response, 4))).rejects.toMatchObject({ code: 'PEER_REFUSED' });
  });
});
