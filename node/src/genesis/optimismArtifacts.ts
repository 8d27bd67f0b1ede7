import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Abi, Hex } from 'viem';
import { nodeError } from '../errors.ts';

export type Artifact = { readonly abi: Abi; readonly bytecode: Hex };

/** ABI and creation code of an audited OP Stack contract, from the published package. */
export const optimismArtifact = (name: string): Artifact => {
  const file = `forge-artifacts/${name}.sol/${name}.json`;
  const { abi, bytecode } = JSON.parse(packageText('@eth-optimism/contracts-bedrock', file)) as {
    abi: Abi;
    bytecode: { object: Hex };
  };
  return { abi, bytecode: bytecode.object };
};

/** Text of a file in an installed package, exported or not: a pinned version's files don't move. @throws GENESIS_CODE_MISSING */
export const packageText = (name: string, file: string): string => {
  const roots = createRequire(import.meta.url).resolve.paths(name) ?? [];
  const path = roots.map((root) => join(root, name, file)).find((candidate) => existsSync(candidate));
  if (!path) throw nodeError('GENESIS_CODE_MISSING', `no ${file} of the package ${name}`);
  return readFileSync(path, 'utf8');
};
