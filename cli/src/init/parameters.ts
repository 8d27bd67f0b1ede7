import { devnet } from '@openledger/chain-config';
import { OpenLedgerError } from '@openledger/kit';
import type { Economics } from '@openledger/node';
import { type Address, type Hex, zeroAddress } from 'viem';
import type { ChainParameters, L1Start } from './makeChainFile.ts';
import type { L1DeploymentInputs } from './planL1.ts';

export type InitOptions = {
  readonly l1Url: string;
  readonly l2ChainId: number;
  readonly name: string;
  readonly out: string;
  readonly key: Hex;
  /** The deployer's where absent. */
  readonly batcher?: Address;
  readonly proposer?: Address;
  readonly governance?: Address;
  /** A token on L1 that becomes the coin of L2; a new OPEN where absent. */
  readonly open?: Address;
  /** Seconds. */
  readonly blockTime: bigint;
  readonly finalizationPeriod: bigint;
  /** L2 blocks. */
  readonly submissionInterval: bigint;
  readonly economics: Economics;
  readonly pollInterval?: number;
  say(line: string): void;
};

export type Roles = Readonly<Record<'deployer' | 'batcher' | 'proposer' | 'governance', Address>>;

/** What the options and the devnet's proven defaults make of a chain. */
export const chainParameters = (options: InitOptions, roles: Roles, l1ChainId: number): ChainParameters => ({
  name: options.name,
  l1ChainId,
  l2ChainId: options.l2ChainId,
  blockTime: options.blockTime,
  maxSequencerDrift: devnet.maxSequencerDrift,
  sequencerWindowSize: devnet.sequencerWindowSize,
  channelTimeout: devnet.channelTimeout,
  eip1559: devnet.eip1559,
  batchInboxAddress: batchInboxOf(options.l2ChainId),
  // Its fee scalars are not right for every price of the coin: governance sets them on L1's SystemConfig.
  systemConfig: { ...devnet.systemConfig, batcherAddress: roles.batcher },
  governance: roles.governance,
  economics: options.economics,
});

/** OP's convention: ff00...00 and the decimal digits of the chain id. */
const batchInboxOf = (chainId: number): Address => `0xff${String(chainId).padStart(38, '0')}`;

/** For so many blocks after its beacon block an audit can be opened (docs/spec/audits.md). */
const BEACON_WINDOW = 8_191n;

/**
 * Who leaves must not get its bond back before the audits of what it did are over.
 * @throws UNBONDING_TOO_SHORT
 */
export const checkUnbonding = ({ blockTime, economics }: InitOptions): void => {
  const { audits, unbondingSeconds } = economics;
  const audited = blockTime * (BigInt(audits.beaconDelay) + BEACON_WINDOW) + audits.reportSeconds + audits.voteSeconds;
  if (unbondingSeconds > audited) return;
  throw new OpenLedgerError(`bonds would be free after ${unbondingSeconds} s, audits end after up to ${audited} s`, {
    code: 'UNBONDING_TOO_SHORT',
    handling: 'fatal',
    action: 'Raise --unbonding, or lower --audit-report or --audit-vote.',
    meta: { unbondingSeconds, audited },
  });
};

/** The options as text: what a second run must be asked for, too. */
export const printable = (options: InitOptions, roles: Roles, l1ChainId: number): Record<string, string> => {
  const { batcher, proposer, governance } = roles;
  const { name, l2ChainId, open = zeroAddress, blockTime, finalizationPeriod, submissionInterval } = options;
  const { audits, ...economics } = options.economics;
  const named = { batcher, proposer, governance, open };
  const chain = { name, l1ChainId, l2ChainId, blockTime, finalizationPeriod, submissionInterval };
  const values = { ...chain, ...economics, ...audits };
  return Object.fromEntries([
    ...Object.entries(values).map(([key, value]) => [key, String(value)]),
    ...Object.entries(named).map(([key, value]) => [key, value.toLowerCase()]),
  ]);
};

export const deploymentInputs = (options: InitOptions, roles: Roles, start: L1Start): L1DeploymentInputs => ({
  ...roles,
  systemConfig: { ...devnet.systemConfig, batcherAddress: roles.batcher },
  batchInbox: batchInboxOf(options.l2ChainId),
  l2BlockTime: options.blockTime,
  submissionInterval: options.submissionInterval,
  finalizationPeriodSeconds: options.finalizationPeriod,
  l2GenesisTime: start.timestamp,
  openHolder: roles.governance,
  ...(options.open ? { open: options.open } : {}),
});
