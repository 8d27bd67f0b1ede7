import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { MerkleStateManager } from '@ethereumjs/statemanager';
import { createAddressFromString } from '@ethereumjs/util';
import { type Hex, hexToBytes } from 'viem';
import { nodeError } from '../errors.ts';

const ADDRESS = createAddressFromString('0x13b0d85ccb8bf860b6b79af3029fca081ae9bef2');

/** Canyon puts this code in place without a transaction; the published contracts package holds it. */
const readCode = (): Hex => {
  const root = dirname(createRequire(import.meta.url).resolve('@eth-optimism/contracts-bedrock/package.json'));
  const source = readFileSync(join(root, 'src/libraries/Preinstalls.sol'), 'utf8');
  const code = /Create2DeployerCode\s*=\s*hex"([0-9a-f]+)"/.exec(source)?.[1];
  if (!code) throw nodeError('STORE_CORRUPT', 'the contracts package lacks the Create2Deployer code');
  return `0x${code}`;
};

/** canyon/overview.md, create2Deployer contract deployment: sets the code, nonce and balance stay. */
export const deployCreate2Deployer = async (state: MerkleStateManager): Promise<void> => {
  await state.putCode(ADDRESS, hexToBytes(readCode()));
};
