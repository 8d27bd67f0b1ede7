import { join } from 'node:path';
import {
  parseRegistryChain,
  parseRegistryNetwork,
  type RegistryChain,
  type RegistryNetwork,
} from '@openledger/chain-config';
import { type FixtureFile, filesUnder } from './fixtureFiles.ts';

/** The files of a registry's `configs` folder, one subfolder a network. */
export type Registry = {
  readonly networks: readonly FixtureFile[];
  readonly chains: readonly FixtureFile[];
  readNetwork(folder: string): RegistryNetwork;
  readChain(file: FixtureFile): RegistryChain;
};

const NETWORK_FILE = 'superchain.toml';

export const openRegistry = (fixtures: string): Registry => {
  const files = filesUnder(join(fixtures, 'superchain-registry', 'configs'), '.toml');
  const networks = files.filter(({ path }) => path.endsWith(`/${NETWORK_FILE}`));
  const readNetwork = (folder: string): RegistryNetwork => {
    const file = networks.find(({ path }) => path === `${folder}/${NETWORK_FILE}`);
    if (!file) throw new Error(`no ${NETWORK_FILE} in ${folder}`);
    return parseRegistryNetwork(file.bytes.toString('utf8'));
  };
  return {
    networks,
    chains: files.filter((file) => !networks.includes(file)),
    readNetwork,
    readChain: ({ path, bytes }) =>
      parseRegistryChain(bytes.toString('utf8'), readNetwork(path.split('/').slice(0, -1).join('/'))),
  };
};
