import type { Address } from 'viem';

/** Contracts of others that tools expect on every OP Stack chain (specs/protocol/preinstalls.md); our genesis has them. */
export const preinstalls = {
  safe: '0x69f4d1788e39c87893c980c06edf4b7f686e2938',
  safeL2: '0xfb1bffc9d739b8d520daf37df666da4c687191ea',
  multiSend: '0x998739bfdaadde7c933b942a68053933098f9eda',
  multiSendCallOnly: '0xa1dabef33b3b82c7814b6d82a79e50f4ac44102b',
  safeSingletonFactory: '0x914d7fec6aac8cd542e72bca78b30650d45643d7',
  multicall3: '0xca11bde05977b3631167028862be2a173976ca11',
  create2Deployer: '0x13b0d85ccb8bf860b6b79af3029fca081ae9bef2',
  createX: '0xba5ed099633d3b313e4d5f7bdc1305d3c28ba5ed',
  /** Arachnid's. */
  deterministicDeploymentProxy: '0x4e59b44847b379578588920ca78fbf26c0b4956c',
  permit2: '0x000000000022d473030f116ddee9f6b43ac78ba3',
  entryPointV06: '0x5ff137d4b0fdcd49dca30c7cf57e578a026d2789',
  senderCreatorV06: '0x7fc98430eaedbb6070b35b39d798725049088348',
  entryPointV07: '0x0000000071727de22e5e9d8baf0edac6f37da032',
  senderCreatorV07: '0xefc2c1444ebcc4db75e7613d20c6a62ff67a167c',
} as const satisfies Record<string, Address>;

export type PreinstallName = keyof typeof preinstalls;
