import { lookup } from 'node:dns';
import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { text } from 'node:stream/consumers';
import ipaddr from 'ipaddr.js';
import { runnerError } from '../errors.ts';

export type GuardedFetchOptions = {
  readonly headers: Readonly<Record<string, string>>;
  /** Whether addresses of this machine and its network may be asked: on dev chains only. */
  readonly allowPrivate: boolean;
  readonly signal?: AbortSignal;
};

/** Nothing comes for so long: given up. Milliseconds. */
const IDLE_MS = 30_000;
const MAX_ERROR_BYTES = 4_096;

/**
 * GET from an address that a stranger announced. No redirects, and no address that only this machine can reach: otherwise a
 * stranger could make it ask around in its own network. The name is resolved once, by the check itself.
 * @throws PEER_UNREACHABLE, PEER_REFUSED (meta.status)
 */
export const guardedFetch = async (url: string, options: GuardedFetchOptions): Promise<IncomingMessage> => {
  const target = parse(url);
  const host = target.hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) && !options.allowPrivate && !isPublic(host)) throw unreachable(url, 'it is not a public address');
  const send = target.protocol === 'https:' ? requestHttps : requestHttp;
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const request = send(target, {
      headers: options.headers,
      // A connection of its own: one that another request left open was checked by that request's rules.
      agent: false,
      timeout: IDLE_MS,
      ...(options.allowPrivate ? {} : { lookup: publicLookup }),
      ...(options.signal ? { signal: options.signal } : {}),
    });
    request.on('timeout', () => request.destroy(new Error(`nothing came for ${IDLE_MS / 1000} s`)));
    request.on('response', resolve);
    request.on('error', reject);
    request.end();
  }).catch((cause) => {
    throw unreachable(url, cause instanceof Error ? cause.message : String(cause), cause);
  });
  if (response.statusCode === 200) return response;
  const said = await text(limited(response, MAX_ERROR_BYTES)).catch(() => '');
  const meta = { status: response.statusCode ?? 0 };
  throw runnerError('PEER_REFUSED', `${target.origin} answered ${response.statusCode}: ${said.slice(0, 200)}`, meta);
};

/** The parts of a body up to so many bytes. @throws PEER_REFUSED when there are more */
export async function* limited(body: AsyncIterable<Buffer>, maxBytes: number): AsyncGenerator<Buffer> {
  let size = 0;
  for await (const part of body) {
    size += part.length;
    if (size > maxBytes) throw runnerError('PEER_REFUSED', `the answer has more than ${maxBytes} bytes`);
    yield part;
  }
}

const parse = (url: string): URL => {
  const target = URL.canParse(url) ? new URL(url) : undefined;
  if (target && (target.protocol === 'http:' || target.protocol === 'https:')) return target;
  throw unreachable(url, 'it is no http or https URL');
};

const isPublic = (address: string): boolean => ipaddr.process(address).range() === 'unicast';

const publicLookup: LookupFunction = (hostname, options, done) =>
  lookup(hostname, { ...options, all: true }, (error, addresses) => {
    const [first] = addresses ?? [];
    if (error || !first) return done(error ?? new Error('the name has no address'), '', 0);
    if (!addresses.every(({ address }) => isPublic(address))) {
      return done(new Error('the name leads to an address that is not public'), '', 0);
    }
    return options.all ? done(null, addresses) : done(null, first.address, first.family);
  });

const unreachable = (url: string, reason: string, cause?: unknown) =>
  runnerError('PEER_UNREACHABLE', `${url.slice(0, 200)} can not be asked: ${reason}`, {}, cause);
