import { createHash } from 'node:crypto';
import { mkdirSync, rmSync, statSync } from 'node:fs';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sleep } from '@openledger/kit';
import { runnerError } from '../errors.ts';

/** sun_path holds 104 bytes on macOS, 108 on Linux. */
const MAX_PATH_BYTES = 103;
const SETTLE_MS = 50;

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

export type AdminSocket = { serve(handler: Handler): void; close(): Promise<void> };

/** The socket of the runner that has this data directory. */
export const adminSocketPath = (dataDir: string): string => {
  const beside = join(dataDir, 'admin.sock');
  if (Buffer.byteLength(beside) <= MAX_PATH_BYTES) return beside;
  return join(tmpdir(), `openledger-${createHash('sha256').update(dataDir).digest('hex').slice(0, 24)}.sock`);
};

/**
 * A Unix socket that only this user can open: the operator's door, and the lock on the data directory, because two
 * processes on one embedded database destroy it. A socket that nobody answers on is left over from a crash.
 * @throws ALREADY_RUNNING
 */
export const openAdminSocket = async (dataDir: string): Promise<AdminSocket> => {
  const path = adminSocketPath(dataDir);
  const taken = () => runnerError('ALREADY_RUNNING', `another process has ${dataDir} open`);
  if (await answers(path)) throw taken();
  mkdirSync(dataDir, { recursive: true });
  rmSync(path, { force: true });
  let handler: Handler = (_request, response) => response.writeHead(503).end();
  const server = createServer((incoming, response) => handler(incoming, response));
  const umask = process.umask(0o077);
  try {
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(path, resolve));
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === 'EADDRINUSE' ? taken() : error;
  } finally {
    process.umask(umask);
  }
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  // Two that found the same dead socket may both have removed it; the path then belongs to the later one.
  const { ino } = statSync(path);
  await sleep(SETTLE_MS);
  if (statSync(path, { throwIfNoEntry: false })?.ino !== ino) {
    // Closing would remove the path, which is the other's now.
    server.unref();
    throw taken();
  }
  return {
    serve: (next) => {
      handler = next;
    },
    close,
  };
};

const answers = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const probe = request({ socketPath: path, path: '/', timeout: 1_000 }, (response) => {
      response.resume();
      resolve(true);
    });
    probe.on('timeout', () => resolve(true));
    probe.on('error', () => resolve(false));
    probe.end();
  });
