import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { compileContracts, contractsRoot } from '../scripts/compile.ts';
import { contractErrorsAbi } from '../ts/errors.ts';
import { jobsAbi } from '../ts/generated/Jobs.ts';

describe('generated files', () => {
  it('are what the sources compile to: run `npm run contracts:build` when this fails', () => {
    const fresh = compileContracts();
    const found = ['ts/generated', 'test/generated'].flatMap((folder) =>
      readdirSync(join(contractsRoot, folder)).map((file) => `${folder}/${file}`),
    );
    expect(found.sort()).toEqual([...fresh.keys()].sort());
    for (const [path, content] of fresh) {
      // Compared outside of expect: a difference of 100 KB is nothing to print.
      expect(readFileSync(join(contractsRoot, path), 'utf8') === content, `${path} is up to date`).toBe(true);
    }
  }, 240_000);

  it('hold all errors once', () => {
    const names = contractErrorsAbi.map((error) => `${error.name}(${error.inputs.map((input) => input.type)})`);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toContain('WeightsTaken(bytes32,uint256)');
    for (const item of jobsAbi.filter((one) => one.type === 'error')) {
      expect(contractErrorsAbi.map((error) => error.name)).toContain(item.name);
    }
  });
});
