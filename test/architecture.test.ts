import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const read = (path: string): string => readFileSync(fileURLToPath(new URL(`../${path}`, import.meta.url)), 'utf8');

/** `` `name` path/to/file.ts:12 `` in ARCHITECTURE.md: the line has to hold the name. */
const references = [...read('ARCHITECTURE.md').matchAll(/`([^`\s]+)`\s+([\w./-]+\.ts):(\d+)/g)].map(
  ([, name = '', path = '', line = '']) => ({ name, path, line: Number(line) }),
);

describe('ARCHITECTURE.md', () => {
  it('walks one transaction by file and line', () => {
    expect(references.length).toBeGreaterThan(10);
  });

  it.each(references)('$path:$line is $name', ({ name, path, line }) => {
    const lines = read(path).split('\n');
    expect(lines[line - 1], `${name} is on line ${lines.findIndex((text) => text.includes(name)) + 1}`).toContain(name);
  });
});
