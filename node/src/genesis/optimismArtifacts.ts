import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Abi, Hex } from 'viem';

export type Artifact = { readonly abi: Abi; readonly bytecode: Hex };

const root = () =>
  join(
    dirname(createRequire(import.meta.url).resolve('@eth-optimism/contracts-bedrock/package.json')),
    'forge-artifacts',
  );

/** ABI and creation code of an audited OP Stack contract, from the published package. */
export const optimismArtifact = (name: string): Artifact => {
  const { abi, bytecode } = JSON.parse(readFileSync(join(root(), `${name}.sol`, `${name}.json`), 'utf8')) as {
    abi: Abi;
    bytecode: { object: Hex };
  };
  return { abi, bytecode: bytecode.object };
};
