import { feeScalars, type L1Contracts, type SystemConfig } from '@openledger/chain-config';
import { openAbi, openBytecode } from '@openledger/contracts';
import { optimismArtifact } from '@openledger/node';
import {
  type Abi,
  type Address,
  encodeDeployData,
  encodeFunctionData,
  getContractAddress,
  type Hex,
  isAddressEqual,
  pad,
  size,
  zeroAddress,
} from 'viem';

export type L1DeploymentInputs = {
  readonly deployer: Address;
  /** Owns the contracts when they are in place, and the supply of OPEN. */
  readonly governance: Address;
  readonly proposer: Address;
  readonly systemConfig: SystemConfig;
  readonly batchInbox: Address;
  /** Seconds, as `finalizationPeriodSeconds`; the submission interval is in L2 blocks. */
  readonly l2BlockTime: bigint;
  readonly submissionInterval: bigint;
  readonly finalizationPeriodSeconds: bigint;
  /** The L2 genesis time: timestamp of the L1 block that L2 starts from. */
  readonly l2GenesisTime: bigint;
  /** Who gets the supply of OPEN. */
  readonly openHolder: Address;
  /** A token that is on L1 already, instead of a new one. */
  readonly open?: Address;
};

/** One transaction of the deployer; `to` is absent when it creates a contract. */
export type DeploymentStep = {
  readonly name: string;
  readonly nonce: number;
  readonly to?: Address;
  readonly data: Hex;
  readonly gas: bigint;
};

export type L1Deployment = {
  readonly steps: readonly DeploymentStep[];
  readonly contracts: L1Contracts;
  /** Where each proxy must point in the end. */
  readonly implementations: ReadonlyMap<Address, Address>;
};

const CALL_GAS = 2_000_000n;
/** For 200 gas a byte of code (EIP-170), its calldata, and a constructor. */
const deployGas = (creationCode: Hex): bigint => 1_000_000n + 250n * BigInt(size(creationCode));

/** OP's default deposit market (specs/protocol/guaranteed-gas-market.md). Gas, wei. */
const resourceConfig = {
  maxResourceLimit: 20_000_000,
  elasticityMultiplier: 10,
  baseFeeMaxChangeDenominator: 8,
  minimumBaseFee: 1_000_000_000,
  systemTxMaxGas: 1_000_000,
  maximumBaseFee: (1n << 128n) - 1n,
} as const;

/**
 * The transactions that put the OPEN token and the OP Stack's L1 contracts in place, with OPEN as the L2's coin. All addresses
 * follow from the deployer's nonces: the same inputs and first nonce always give the same plan.
 */
export const planL1 = (inputs: L1DeploymentInputs, firstNonce: number): L1Deployment => {
  const { deployer, governance } = inputs;
  const steps: DeploymentStep[] = [];
  const implementations = new Map<Address, Address>();
  const add = (name: string, step: { to?: Address; data: Hex; gas: bigint }): Address => {
    const nonce = firstNonce + steps.length;
    steps.push({ name, nonce, ...step });
    return getContractAddress({ from: deployer, nonce: BigInt(nonce) });
  };
  const deploy = (name: string, abi: Abi, bytecode: Hex, args: readonly unknown[] = []): Address => {
    const data = encodeDeployData({ abi, bytecode, args });
    return add(name, { data, gas: deployGas(data) });
  };
  const proxyAbi = optimismArtifact('Proxy').abi;
  const proxy = (name: string) => deploy(`${name} proxy`, proxyAbi, optimismArtifact('Proxy').bytecode, [deployer]);
  const install = (name: string, address: Address, args: readonly unknown[]): void => {
    const { abi, bytecode } = optimismArtifact(name);
    const implementation = deploy(name, abi, bytecode);
    implementations.set(address, implementation);
    const initialize = encodeFunctionData({ abi, functionName: 'initialize', args });
    const call = { abi: proxyAbi, functionName: 'upgradeToAndCall', args: [implementation, initialize] };
    add(`${name} initialize`, { to: address, data: encodeFunctionData(call), gas: CALL_GAS });
  };

  const open = inputs.open ?? deploy('Open', openAbi as Abi, openBytecode, [inputs.openHolder]);
  const contracts: L1Contracts = {
    open,
    superchainConfig: proxy('SuperchainConfig'),
    l2OutputOracle: proxy('L2OutputOracle'),
    optimismPortal: proxy('OptimismPortal'),
    systemConfig: proxy('SystemConfig'),
    l1CrossDomainMessenger: proxy('L1CrossDomainMessenger'),
    l1StandardBridge: proxy('L1StandardBridge'),
  };
  const { superchainConfig, l2OutputOracle, optimismPortal, systemConfig } = contracts;
  install('SuperchainConfig', superchainConfig, [governance, false]);
  install('L2OutputOracle', l2OutputOracle, [
    inputs.submissionInterval,
    inputs.l2BlockTime,
    0n,
    inputs.l2GenesisTime,
    inputs.proposer,
    governance,
    inputs.finalizationPeriodSeconds,
  ]);
  install('OptimismPortal', optimismPortal, [l2OutputOracle, systemConfig, superchainConfig]);
  install('SystemConfig', systemConfig, systemConfigArguments(inputs, contracts));
  const { l1CrossDomainMessenger, l1StandardBridge } = contracts;
  install('L1CrossDomainMessenger', l1CrossDomainMessenger, [superchainConfig, optimismPortal, systemConfig]);
  install('L1StandardBridge', l1StandardBridge, [l1CrossDomainMessenger, superchainConfig, systemConfig]);
  if (!isAddressEqual(governance, deployer)) {
    for (const address of implementations.keys()) {
      const data = encodeFunctionData({ abi: proxyAbi, functionName: 'changeAdmin', args: [governance] });
      add('hand over to governance', { to: address, data, gas: 200_000n });
    }
  }
  return { steps, contracts, implementations };
};

const systemConfigArguments = (inputs: L1DeploymentInputs, contracts: L1Contracts): readonly unknown[] => {
  const { governance, systemConfig, batchInbox } = inputs;
  const { baseFeeScalar, blobBaseFeeScalar } = feeScalars(systemConfig.scalar);
  return [
    governance,
    baseFeeScalar,
    blobBaseFeeScalar,
    pad(systemConfig.batcherAddress, { size: 32 }),
    systemConfig.gasLimit,
    governance,
    resourceConfig,
    batchInbox,
    {
      l1CrossDomainMessenger: contracts.l1CrossDomainMessenger,
      l1ERC721Bridge: zeroAddress,
      l1StandardBridge: contracts.l1StandardBridge,
      disputeGameFactory: zeroAddress,
      optimismPortal: contracts.optimismPortal,
      optimismMintableERC20Factory: zeroAddress,
      gasPayingToken: contracts.open,
    },
  ];
};
