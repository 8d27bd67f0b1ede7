import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { list } from 'tar';

/** A file of a fixtures folder: its path below the folder, and its bytes. */
export type FixtureFile = { readonly path: string; readonly bytes: Buffer };

/** All files below a folder, in order of their paths; none when there is no such folder. */
export const filesUnder = (folder: string, extension = ''): FixtureFile[] =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true, encoding: 'utf8', withFileTypes: true })
        .filter((entry) => entry.isFile() && entry.name.endsWith(extension))
        .map((entry) => join(entry.parentPath, entry.name))
        .sort()
        .map((path) => ({ path: path.slice(folder.length + 1), bytes: readFileSync(path) }))
    : [];

/** The files in a tar, gzipped or not, whose paths fit; none when there is no such archive. */
export const filesInTar = async (archive: string, pattern: RegExp): Promise<FixtureFile[]> => {
  const files: FixtureFile[] = [];
  if (!existsSync(archive)) return files;
  await list({
    file: archive,
    onReadEntry: (entry) => {
      const path = entry.path.replace(/^\.\//, '');
      if (entry.type !== 'File' || !pattern.test(path)) {
        entry.resume();
        return;
      }
      const chunks: Buffer[] = [];
      entry.on('data', (chunk: Buffer) => chunks.push(chunk));
      entry.on('end', () => files.push({ path, bytes: Buffer.concat(chunks) }));
    },
  });
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
};

export const parseJson = <T>(file: FixtureFile): T => JSON.parse(file.bytes.toString('utf8')) as T;
