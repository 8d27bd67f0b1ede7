import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

type Times = Readonly<Record<string, number | null>>;

/** A chain as kona's `configs.json` has it. */
export type KonaChain = {
  readonly l2_chain_id: number;
  readonly batch_inbox_address: string;
  readonly block_time: number;
  readonly seq_window_size: number;
  readonly max_sequencer_drift: number;
  readonly GasPayingToken: string | null;
  readonly DataAvailabilityType: string;
  readonly hardfork_configuration: Times;
  readonly optimism: {
    readonly eip1559Elasticity: number;
    readonly eip1559Denominator: number;
    readonly eip1559DenominatorCanyon: number;
  };
  readonly genesis: {
    readonly l1: { readonly number: number; readonly hash: string };
    readonly l2: { readonly number: number; readonly hash: string };
    readonly l2_time: number;
    readonly system_config: {
      readonly batcherAddr: string;
      readonly overhead: string;
      readonly scalar: string;
      readonly gasLimit: number;
    };
  };
  readonly Addresses: Readonly<Record<string, string | null>>;
};

export type KonaNetwork = {
  readonly name: string;
  readonly config: { readonly l1: { readonly chain_id: number }; readonly hardforks: Times };
  readonly chains: readonly KonaChain[];
};

/** None when the file is not there. */
export const readKonaRegistry = (fixtures: string): readonly KonaNetwork[] => {
  const path = join(fixtures, 'kona-derive', 'registry', 'configs.json');
  if (!existsSync(path)) return [];
  return (JSON.parse(readFileSync(path, 'utf8')) as { superchains: readonly KonaNetwork[] }).superchains;
};

/** By the folder of the registry's file. */
export const findKonaNetwork = (registry: readonly KonaNetwork[], path: string): KonaNetwork | undefined =>
  registry.find(({ name }) => name.toLowerCase() === path.split('/')[0]);

/** Chains of test networks are reborn under their ids: the genesis has to be the same, too. */
export const findKonaChain = (
  registry: readonly KonaNetwork[],
  chainId: number,
  genesisHash: string,
): KonaChain | undefined =>
  registry
    .flatMap(({ chains }) => chains)
    .find(({ l2_chain_id, genesis }) => l2_chain_id === chainId && genesis.l2.hash === genesisHash);
