import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Hex } from 'viem';

type Compiler = {
  compile(input: string, callbacks: { import(path: string): { contents: string } | { error: string } }): string;
};

type Output = {
  readonly errors?: readonly { severity: string; formattedMessage: string }[];
  readonly contracts?: Readonly<Record<string, Readonly<Record<string, CompiledContract>>>>;
};
type CompiledContract = { readonly evm: { readonly deployedBytecode: { readonly object: string } } };

const require = createRequire(import.meta.url);
const read = (name: string): string => readFileSync(new URL(name, import.meta.url), 'utf8');

/** Imports from npm packages only, through their manifests, wherever they have been hoisted to. */
const findImport = (path: string): { contents: string } | { error: string } => {
  const [scope, name, ...rest] = path.split('/');
  if (!scope?.startsWith('@')) return { error: `no file ${path}` };
  const folder = dirname(require.resolve(`${scope}/${name}/package.json`));
  return { contents: readFileSync(join(folder, ...rest), 'utf8') };
};

/**
 * Runtime code of the contracts in this folder by their names, with the settings of `contracts/`; none has immutables, so it
 * can lie in a genesis file.
 */
export const compile = <Name extends string>(names: readonly Name[]): Readonly<Record<Name, Hex>> => {
  const solc = require('solc') as Compiler;
  const input = {
    language: 'Solidity',
    sources: Object.fromEntries(names.map((name) => [`${name}.sol`, { content: read(`${name}.sol`) }])),
    settings: {
      optimizer: { enabled: true, runs: 10_000 },
      evmVersion: 'cancun',
      metadata: { bytecodeHash: 'none' },
      outputSelection: { '*': { '*': ['evm.deployedBytecode.object'] } },
    },
  };
  const output = JSON.parse(solc.compile(JSON.stringify(input), { import: findImport })) as Output;
  const errors = (output.errors ?? []).filter(({ severity }) => severity === 'error');
  if (errors.length > 0) throw new Error(errors.map(({ formattedMessage }) => formattedMessage).join('\n'));
  const codeOf = (name: Name): Hex => {
    const contract = output.contracts?.[`${name}.sol`]?.[name];
    if (!contract) throw new Error(`${name}.sol holds no contract ${name}`);
    return `0x${contract.evm.deployedBytecode.object}`;
  };
  return Object.fromEntries(names.map((name) => [name, codeOf(name)])) as Record<Name, Hex>;
};
