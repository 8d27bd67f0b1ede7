import { type PreinstallName, preinstalls } from '@openledger/chain-config';
import {
  concatHex,
  encodeAbiParameters,
  type Hex,
  keccak256,
  numberToHex,
  parseTransaction,
  recoverTransactionAddress,
  size,
  slice,
  stringToHex,
} from 'viem';
import { nodeError } from '../errors.ts';
import type { GenesisMachine } from './genesisMachine.ts';
import { packageText } from './optimismArtifacts.ts';

/** Names of the runtime codes in Optimism's Preinstalls.sol. */
const optimismNames = {
  multicall3: 'MultiCall3Code',
  create2Deployer: 'Create2DeployerCode',
  safe: 'Safe_v130Code',
  safeL2: 'SafeL2_v130Code',
  multiSend: 'MultiSend_v130Code',
  multiSendCallOnly: 'MultiSendCallOnly_v130Code',
  safeSingletonFactory: 'SafeSingletonFactoryCode',
  deterministicDeploymentProxy: 'DeterministicDeploymentProxyCode',
  entryPointV06: 'EntryPointCode',
  senderCreatorV06: 'SenderCreatorCode',
} as const satisfies Partial<Record<PreinstallName, string>>;

const PERMIT2_TEMPLATE = 'Permit2TemplateCode';

/** Puts all preinstalls into a genesis state, their code read from the packages that ship it. @throws GENESIS_CODE_MISSING */
export const installPreinstalls = async (machine: GenesisMachine, chainId: number): Promise<void> => {
  const source = packageText('@eth-optimism/contracts-bedrock', 'src/libraries/Preinstalls.sol');
  const optimism = (name: string): Hex => constantIn(source, name);
  for (const [name, constant] of Object.entries(optimismNames)) {
    await machine.setCode(preinstalls[name as PreinstallName], optimism(constant));
  }
  await machine.setCode(preinstalls.permit2, permit2Code(optimism(PERMIT2_TEMPLATE), chainId));
  await installEntryPointV07(machine);
  await installCreateX(machine);
};

/** A `bytes` constant of a Solidity source. */
const constantIn = (source: string, name: string): Hex => {
  const digits = new RegExp(`\\b${name}\\s*=\\s*hex"([0-9a-fA-F]+)"`).exec(source)?.[1];
  if (!digits) throw nodeError('GENESIS_CODE_MISSING', `no ${name} in Optimism's Preinstalls.sol`);
  return `0x${digits}`;
};

/** Where Permit2's runtime code holds its immutables: the chain id and the EIP-712 domain that follows from it. */
const PERMIT2_CHAIN_ID = 6945;
const PERMIT2_DOMAIN = 6983;

const permit2Code = (template: Hex, chainId: number): Hex => {
  const typeHash = keccak256(stringToHex('EIP712Domain(string name,uint256 chainId,address verifyingContract)'));
  const domain = encodeAbiParameters(
    [{ type: 'bytes32' }, { type: 'bytes32' }, { type: 'uint256' }, { type: 'address' }],
    [typeHash, keccak256(stringToHex('Permit2')), BigInt(chainId), preinstalls.permit2],
  );
  const withChainId = overwrite(template, PERMIT2_CHAIN_ID, numberToHex(chainId, { size: 32 }));
  return overwrite(withChainId, PERMIT2_DOMAIN, keccak256(domain));
};

const overwrite = (code: Hex, offset: number, value: Hex): Hex =>
  concatHex([slice(code, 0, offset), value, slice(code, offset + size(value))]);

/** The salt with which everybody deploys EntryPoint 0.7: with any other code it would not come out at its address. */
const ENTRY_POINT_V07_SALT: Hex = '0x90d8084deab30c2a37c45e8d47f49f2f7965183cb6990a98943ef94940681de3';

/** Deployed as on any chain, through Arachnid's proxy, so that its constructor makes its SenderCreator and its storage. */
const installEntryPointV07 = async (machine: GenesisMachine): Promise<void> => {
  const artifact = packageText('@account-abstraction/contracts', 'artifacts/EntryPoint.json');
  const { bytecode } = JSON.parse(artifact) as { bytecode: Hex };
  const proxy = preinstalls.deterministicDeploymentProxy;
  await machine.call(proxy, proxy, concatHex([ENTRY_POINT_V07_SALT, bytecode]));
  await machine.keep(preinstalls.entryPointV07);
  await machine.keep(preinstalls.senderCreatorV07);
};

/** CreateX knows its own address: its deployment transaction, signed once for all chains, is carried out. */
const installCreateX = async (machine: GenesisMachine): Promise<void> => {
  const file = 'dist/src/internal/execution/strategy/createx-artifact.js';
  const source = packageText('@nomicfoundation/ignition-core', file);
  const raw = /presignedTx\s*=\s*"(0x[0-9a-f]+)"/.exec(source)?.[1] as Hex | undefined;
  if (!raw) throw nodeError('GENESIS_CODE_MISSING', 'the package holds no deployment transaction of CreateX');
  const { data = '0x', nonce = 0 } = parseTransaction(raw);
  const from = await recoverTransactionAddress({ serializedTransaction: raw as never });
  const created = await machine.deploy(from, BigInt(nonce), data);
  if (created !== preinstalls.createX) throw nodeError('GENESIS_CODE_MISSING', `CreateX came out at ${created}`);
};
