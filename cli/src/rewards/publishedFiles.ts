import { createWriteStream, existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import { epochFileNames, type Proposal } from '@openledger/rewards';

const needed = [epochFileNames.ledger, epochFileNames.trace];

/** What the proposer has published: a folder on this machine, or a distributor's server. Undefined when it has nothing. */
export const publishedFiles = async (
  source: string,
  { epoch, dataHash }: Pick<Proposal, 'epoch' | 'dataHash'>,
): Promise<string | undefined> => {
  if (!/^https?:/.test(source)) {
    const folder = join(source, dataHash);
    return needed.every((name) => existsSync(join(folder, name))) ? folder : undefined;
  }
  const folder = mkdtempSync(join(tmpdir(), 'openledger-published-'));
  for (const name of needed) {
    const response = await fetch(`${source.replace(/\/$/, '')}/epochs/${epoch}/${name}`);
    if (!response.ok || !response.body) return undefined;
    await pipeline(Readable.fromWeb(response.body as ReadableStream), createWriteStream(join(folder, name)));
  }
  return folder;
};
