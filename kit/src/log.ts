import { type Logger as PinoLogger, pino, stdTimeFunctions } from 'pino';

export type Logger = Pick<PinoLogger, 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal'> & {
  child(bindings: Record<string, unknown>): Logger;
};

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';

/** Fields that may carry a secret are cut whatever their depth in the first two levels. */
const secretPaths = ['privateKey', 'password', 'secret', 'token', 'jwt', 'authorization', 'mnemonic'].flatMap((key) => [
  key,
  `*.${key}`,
]);

/** JSON lines on stderr (stdout belongs to a command's result). */
export const createLogger = (options: { name: string; level?: LogLevel }): Logger =>
  pino(
    {
      name: options.name,
      level: options.level ?? 'info',
      timestamp: stdTimeFunctions.isoTime,
      redact: { paths: secretPaths, censor: '[redacted]' },
      base: { name: options.name },
    },
    pino.destination({ dest: 2, sync: true }),
  ) as unknown as Logger;

export const silentLogger: Logger = pino({ level: 'silent' }) as unknown as Logger;

/** A URL that is safe to print: no user info, no query, no path segments that look like API keys. */
export const printableUrl = (url: string): string => {
  try {
    const { protocol, host, pathname } = new URL(url);
    const path = pathname
      .split('/')
      .map((segment) => (segment.length >= 20 ? '***' : segment))
      .join('/');
    return `${protocol}//${host}${path === '/' ? '' : path}`;
  } catch {
    return '[unparsable url]';
  }
};
