import { allForksAtGenesis, type L1Contracts, type RollupConfig, type SystemConfig } from '@openledger/chain-config';
import { buildGenesisAlloc, createCommon, type Economics } from '@openledger/node';
import type { Address, Hash } from 'viem';
import type { ChainFile } from '../chainFile.ts';

/** The L1 block that L2 starts from. */
export type L1Start = { readonly hash: Hash; readonly number: bigint; readonly timestamp: bigint };

export type ChainParameters = {
  readonly name: string;
  readonly l1ChainId: number;
  readonly l2ChainId: number;
  /** Seconds. */
  readonly blockTime: bigint;
  readonly maxSequencerDrift: bigint;
  readonly sequencerWindowSize: bigint;
  readonly channelTimeout: bigint;
  readonly eip1559: RollupConfig['eip1559'];
  readonly batchInboxAddress: Address;
  readonly systemConfig: SystemConfig;
  readonly governance: Address;
  readonly economics: Economics;
};

/** A new chain at the newest fork, over contracts that are on L1. Same input, same chain. */
export const makeChainFile = async (
  parameters: ChainParameters,
  start: L1Start,
  l1Contracts: L1Contracts,
): Promise<ChainFile> => {
  const { name, governance, economics, systemConfig, ...config } = parameters;
  const alloc = await buildGenesisAlloc(
    { l1ChainId: config.l1ChainId, timestamp: start.timestamp, systemConfig, l1: l1Contracts, governance, economics },
    createCommon(config.l2ChainId),
  );
  return {
    name,
    governance,
    l1Contracts,
    genesis: {
      alloc,
      timestamp: start.timestamp,
      config: {
        ...config,
        forks: allForksAtGenesis,
        depositContractAddress: l1Contracts.optimismPortal,
        l1SystemConfigAddress: l1Contracts.systemConfig,
        genesis: { l1: { hash: start.hash, number: start.number }, systemConfig },
      },
    },
  };
};
