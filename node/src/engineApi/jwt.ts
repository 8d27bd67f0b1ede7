import { readFileSync } from 'node:fs';
import { errors, jwtVerify } from 'jose';
import { nodeError } from '../errors.ts';

/** Seconds that a token's issue time may be off (execution-apis, engine/authentication.md). */
const IAT_TOLERANCE = 60;
const SECRET = /^(0x)?[0-9a-fA-F]{64}$/;

/** The 256-bit secret that consensus and execution client share, in hex. @throws JWT_SECRET_INVALID, without printing it */
export const readJwtSecret = (path: string): Uint8Array => {
  let text: string;
  try {
    text = readFileSync(path, 'utf8').trim();
  } catch (cause) {
    throw nodeError('JWT_SECRET_INVALID', `no readable JWT secret at ${path}`, {}, cause);
  }
  if (!SECRET.test(text)) throw nodeError('JWT_SECRET_INVALID', `the JWT secret at ${path} is not 32 bytes of hex`);
  return new Uint8Array(Buffer.from(text.replace(/^0x/, ''), 'hex'));
};

/** Why a request may not pass; undefined when its bearer token is HS256 by the secret and was issued just now. */
export const refusalOf = async (
  authorization: string | undefined,
  secret: Uint8Array,
  nowMs: number,
): Promise<string | undefined> => {
  const token = /^Bearer (\S+)$/.exec(authorization ?? '')?.[1];
  if (!token) return 'missing token';
  try {
    const { payload } = await jwtVerify(token, secret, { algorithms: ['HS256'], currentDate: new Date(nowMs) });
    if (typeof payload.iat !== 'number') return 'missing issued-at';
    return Math.abs(nowMs / 1000 - payload.iat) > IAT_TOLERANCE ? 'stale token' : undefined;
  } catch (error) {
    if (error instanceof errors.JOSEError) return error.code;
    throw error;
  }
};
