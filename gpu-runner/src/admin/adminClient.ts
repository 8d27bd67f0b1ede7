import { request } from 'node:http';
import { runnerError } from '../errors.ts';

/**
 * Asks the runner behind an admin socket. @throws REQUEST_INVALID with its reason; ENOENT or ECONNREFUSED when there is none
 */
export const askAdmin = (socketPath: string, path: string, command: unknown): Promise<unknown> =>
  new Promise((resolve, reject) => {
    const outgoing = request({ socketPath, method: 'POST', path }, async (response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of response) chunks.push(chunk as Buffer);
      const text = Buffer.concat(chunks).toString('utf8');
      const { result, error } = (text === '' ? { error: 'no answer' } : JSON.parse(text)) as {
        result?: unknown;
        error?: string;
      };
      if (response.statusCode === 200) resolve(result);
      else reject(runnerError('REQUEST_INVALID', error ?? 'the runner refused'));
    });
    outgoing.on('error', reject);
    outgoing.end(JSON.stringify(command));
  });
