import { devnet, type SystemConfig } from '@openledger/chain-config';
import type { Address } from 'viem';
import type { PrivateKeyAccount } from 'viem/accounts';
import { createCommon } from '../../src/execution/createCommon.ts';
import { buildGenesisAlloc, type GenesisInputs } from '../../src/genesis/buildGenesis.ts';
import type { Genesis } from '../../src/genesis/genesisBlock.ts';
import type { GenesisAlloc } from '../../src/genesis/genesisMachine.ts';
import type { L1Block } from '../../src/l1/l1Source.ts';
import { ana, bo, chi, governance, lower, OPEN } from './wallets.ts';

const l1Address = (byte: string): Address => `0x${byte.repeat(20)}`;

export const systemConfig: SystemConfig = { ...devnet.systemConfig, batcherAddress: l1Address('b1') };

export const genesisInputs: GenesisInputs = {
  l1ChainId: devnet.l1ChainId,
  timestamp: 1_700_000_000n,
  systemConfig,
  l1: { l1CrossDomainMessenger: l1Address('11'), l1StandardBridge: l1Address('12'), open: l1Address('13') },
  governance: governance.address,
  economics: devnet.economics,
};

let built: Promise<GenesisAlloc> | undefined;

const build = (inputs: GenesisInputs) => buildGenesisAlloc(inputs, createCommon(devnet.l2ChainId));

/** Building takes half a second, so a test file does it once. */
export const genesisAlloc = (): Promise<GenesisAlloc> => {
  built ??= build(genesisInputs);
  return built;
};

export const INITIAL_BALANCE = 1_000n * OPEN;

/** What a test wants otherwise than the devnet has it. */
export type GenesisChanges = { economics?: Partial<GenesisInputs['economics']>; rich?: readonly PrivateKeyAccount[] };

/** The devnet's genesis on a scripted L1, where Ana, Bo, Chi and the governance own some OPEN. */
export const makeGenesis = async (
  l1: L1Block,
  overrides: Partial<SystemConfig> = {},
  { economics, rich = [] }: GenesisChanges = {},
): Promise<Genesis> => {
  const alloc = economics
    ? await build({ ...genesisInputs, economics: { ...genesisInputs.economics, ...economics } })
    : await genesisAlloc();
  const funded = [ana, bo, chi, governance, ...rich].map(({ address }) => [
    lower(address),
    { balance: INITIAL_BALANCE, nonce: 0n, code: '0x', storage: {} },
  ]);
  return {
    alloc: { ...alloc, ...Object.fromEntries(funded) },
    timestamp: genesisInputs.timestamp,
    config: {
      l1ChainId: devnet.l1ChainId,
      l2ChainId: devnet.l2ChainId,
      blockTime: 1n,
      maxSequencerDrift: devnet.maxSequencerDrift,
      sequencerWindowSize: devnet.sequencerWindowSize,
      channelTimeout: devnet.channelTimeout,
      forks: devnet.forks,
      eip1559: devnet.eip1559,
      batchInboxAddress: devnet.batchInboxAddress,
      depositContractAddress: l1Address('14'),
      l1SystemConfigAddress: l1Address('15'),
      genesis: { l1: { hash: l1.hash, number: l1.number }, systemConfig: { ...systemConfig, ...overrides } },
    },
  };
};
