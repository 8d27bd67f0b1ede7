import type { Address } from 'viem';

/**
 * OpenLedger's own predeploys. The prefix is the ASCII of "OpenLedger" (10 bytes), so that nobody's key or CREATE2 salt
 * can own these addresses and they are told apart from the OP Stack's 0x4200... at a glance.
 */
export const predeploys = {
  datanets: '0x4f70656e4c656467657200000000000000000001',
  models: '0x4f70656e4c656467657200000000000000000002',
  jobs: '0x4f70656e4c656467657200000000000000000003',
  attributionLedger: '0x4f70656e4c656467657200000000000000000004',
  rewards: '0x4f70656e4c656467657200000000000000000005',
  staking: '0x4f70656e4c656467657200000000000000000006',
  provenance: '0x4f70656e4c656467657200000000000000000007',
  rewardRecompute: '0x4f70656e4c656467657200000000000000000008',
  rewardDisputes: '0x4f70656e4c656467657200000000000000000009',
  audits: '0x4f70656e4c65646765720000000000000000000a',
} as const satisfies Record<string, Address>;

export type PredeployName = keyof typeof predeploys;

/** The leaf token that stands for the native coin (OPEN) in reward trees. */
export const NATIVE_TOKEN: Address = '0xeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee';
