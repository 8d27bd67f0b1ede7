import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Common } from '@ethereumjs/common';
import {
  type L1Contracts,
  opPredeploys,
  type PredeployName,
  predeploys,
  type SystemConfig,
  systemAddresses,
} from '@openledger/chain-config';
import * as contracts from '@openledger/contracts';
import { type Abi, type Address, encodeDeployData, encodeFunctionData, type Hex, pad, zeroAddress } from 'viem';
import { type GenesisAlloc, GenesisMachine } from './genesisMachine.ts';
import { optimismArtifact } from './optimismArtifacts.ts';
import { installPreinstalls } from './preinstalls.ts';

/** docs/spec/audits.md. Basis points of the outputs and of the least bond, L2 blocks, seconds. */
export type AuditSettings = {
  inferenceRateBps: number;
  trainingRateBps: number;
  faultBps: number;
  missBps: number;
  beaconDelay: number;
  reportSeconds: bigint;
  voteSeconds: bigint;
};

export type Economics = {
  minBond: bigint;
  unbondingSeconds: bigint;
  rewardBond: bigint;
  disputeWindow: bigint;
  /** What asking for a chunk of a proposed epoch's trace costs, paid to who shows it. */
  rewardRequestFee: bigint;
  /** Seconds to show it in. */
  rewardResponseWindow: bigint;
  closeDelay: bigint;
  audits: AuditSettings;
};

export type GenesisInputs = {
  readonly l1ChainId: number;
  readonly timestamp: bigint;
  readonly systemConfig: SystemConfig;
  readonly l1: Pick<L1Contracts, 'l1CrossDomainMessenger' | 'l1StandardBridge' | 'open'>;
  readonly governance: Address;
  readonly economics: Economics;
};

/** EIP-1967. */
const IMPLEMENTATION_SLOT = 0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbcn;
const ADMIN_SLOT = 0xb53127684a568b3173ae13b9f8a6016e243e63b6e8ee1178d6a717850b5d6103n;

/** Runtime code as the EIPs state it. */
const EIP4788_CODE: Hex =
  '0x3373fffffffffffffffffffffffffffffffffffffffe14604d57602036146024575f5ffd5b5f35801560495762001fff810690815414603c575f5ffd5b62001fff01545f5260205ff35b5f5ffd5b62001fff42064281555f359062001fff015500';
const EIP2935_CODE: Hex =
  '0x3373fffffffffffffffffffffffffffffffffffffffe14604657602036036042575f35600143038111604257611fff81430311604257611fff9006545f5260205ff35b5f5ffd5b5f35611fff60014303065500';

/** OP's convention: the implementation of predeploy 0x4200...XXXX lives at 0xc0d3...XXXX; ours sit behind the 0x4f00 page. */
const implementationOf = (proxy: Address): Address => {
  const page = proxy.toLowerCase().startsWith('0x4f70') ? '4f' : '00';
  return `0xc0d3c0d3c0d3c0d3c0d3c0d3c0d3c0d3c0d3${page}${proxy.slice(-2)}` as Address;
};

type Predeploy = { address: Address; creationCode: Hex; initializer?: { abi: Abi; args: readonly unknown[] } };

const vaultArgs = (recipient: Address) => [recipient, 10n ** 18n, 1] as const;

const opContracts = ({ l1, governance, l1ChainId }: GenesisInputs): Predeploy[] => {
  const plain = (address: Address, name: string, args: readonly unknown[] = []): Predeploy => {
    const { abi, bytecode } = optimismArtifact(name);
    return { address, creationCode: encodeDeployData({ abi, bytecode, args }) };
  };
  const initialized = (address: Address, name: string, args: readonly unknown[]): Predeploy => ({
    ...plain(address, name),
    initializer: { abi: optimismArtifact(name).abi, args },
  });
  const p = opPredeploys;
  return [
    plain(p.legacyMessagePasser, 'LegacyMessagePasser'),
    plain(p.deployerWhitelist, 'DeployerWhitelist'),
    initialized(p.l2CrossDomainMessenger, 'L2CrossDomainMessenger', [l1.l1CrossDomainMessenger]),
    { address: p.gasPriceOracle, creationCode: contracts.gasPriceOracleBytecode },
    initialized(p.l2StandardBridge, 'L2StandardBridge', [l1.l1StandardBridge]),
    plain(p.sequencerFeeVault, 'SequencerFeeVault', vaultArgs(governance)),
    initialized(p.optimismMintableERC20Factory, 'OptimismMintableERC20Factory', [p.l2StandardBridge]),
    plain(p.l1BlockNumber, 'L1BlockNumber'),
    initialized(p.l2ERC721Bridge, 'L2ERC721Bridge', [zeroAddress]),
    { address: p.l1Block, creationCode: contracts.l1BlockBytecode },
    plain(p.l2ToL1MessagePasser, 'L2ToL1MessagePasser'),
    plain(p.optimismMintableERC721Factory, 'OptimismMintableERC721Factory', [p.l2ERC721Bridge, BigInt(l1ChainId)]),
    plain(p.proxyAdmin, 'ProxyAdmin', [governance]),
    plain(p.baseFeeVault, 'BaseFeeVault', vaultArgs(governance)),
    plain(p.l1FeeVault, 'L1FeeVault', vaultArgs(governance)),
    {
      address: p.operatorFeeVault,
      creationCode: encodeDeployData({
        abi: contracts.operatorFeeVaultAbi,
        bytecode: contracts.operatorFeeVaultBytecode,
        args: vaultArgs(governance),
      }),
    },
    plain(p.schemaRegistry, 'SchemaRegistry'),
    plain(p.eas, 'EAS'),
  ];
};

const ownContracts = ({ governance, economics }: GenesisInputs): Predeploy[] => {
  const p = predeploys;
  const own: Record<PredeployName, Omit<Predeploy, 'address'>> = {
    datanets: {
      creationCode: contracts.datanetsBytecode,
    },
    models: {
      creationCode: contracts.modelsBytecode,
      initializer: { abi: contracts.modelsAbi, args: [p.staking, p.jobs] },
    },
    jobs: {
      creationCode: contracts.jobsBytecode,
      initializer: {
        abi: contracts.jobsAbi,
        args: [
          governance,
          {
            models: p.models,
            datanets: p.datanets,
            ledger: p.attributionLedger,
            rewards: p.rewards,
            staking: p.staking,
          },
          economics.closeDelay,
        ],
      },
    },
    attributionLedger: {
      creationCode: contracts.attributionLedgerBytecode,
      initializer: { abi: contracts.attributionLedgerAbi, args: [p.staking, p.jobs] },
    },
    rewards: {
      creationCode: contracts.rewardsBytecode,
      initializer: {
        abi: contracts.rewardsAbi,
        args: [governance, p.rewardDisputes, economics.rewardBond, economics.disputeWindow],
      },
    },
    staking: {
      creationCode: contracts.stakingBytecode,
      initializer: {
        abi: contracts.stakingAbi,
        args: [governance, economics.minBond, economics.unbondingSeconds, p.audits],
      },
    },
    provenance: {
      creationCode: contracts.provenanceBytecode,
      initializer: { abi: contracts.provenanceAbi, args: [p.models] },
    },
    rewardRecompute: {
      creationCode: contracts.rewardRecomputeBytecode,
      initializer: {
        abi: contracts.rewardRecomputeAbi,
        args: [
          {
            ledger: p.attributionLedger,
            jobs: p.jobs,
            models: p.models,
            datanets: p.datanets,
            staking: p.staking,
            rewards: p.rewards,
          },
        ],
      },
    },
    rewardDisputes: {
      creationCode: contracts.rewardDisputesBytecode,
      initializer: {
        abi: contracts.rewardDisputesAbi,
        args: [
          p.rewards,
          p.attributionLedger,
          p.rewardRecompute,
          economics.rewardRequestFee,
          economics.rewardResponseWindow,
        ],
      },
    },
    audits: {
      creationCode: contracts.auditsBytecode,
      initializer: { abi: contracts.auditsAbi, args: [p.staking, p.attributionLedger, economics.audits] },
    },
  };
  return (Object.keys(own) as PredeployName[]).map((name) => ({ address: predeploys[name], ...own[name] }));
};

/** The genesis state of an L2: predeploys behind proxies, initialized, preinstalls; nobody owns any OPEN yet. */
export const buildGenesisAlloc = async (inputs: GenesisInputs, common: Common): Promise<GenesisAlloc> => {
  const machine = await GenesisMachine.create(common, inputs.timestamp);
  const proxy = optimismArtifact('Proxy');
  const proxyCode = encodeDeployData({ abi: proxy.abi, bytecode: proxy.bytecode, args: [opPredeploys.proxyAdmin] });
  for (const { address, creationCode, initializer } of [...opContracts(inputs), ...ownContracts(inputs)]) {
    const implementation = implementationOf(address);
    await machine.construct(implementation, creationCode);
    await machine.construct(address, proxyCode);
    await machine.setStorage(address, ADMIN_SLOT, pad(opPredeploys.proxyAdmin, { size: 32 }));
    await machine.setStorage(address, IMPLEMENTATION_SLOT, pad(implementation, { size: 32 }));
    if (initializer) {
      const data = encodeFunctionData({ abi: initializer.abi, functionName: 'initialize', args: initializer.args });
      await machine.call(inputs.governance, address, data);
    }
  }
  // ProxyAdmin's owner is storage of the proxy, not of the implementation whose constructor set it.
  await machine.setStorage(opPredeploys.proxyAdmin, 0n, pad(inputs.governance, { size: 32 }));
  await setGasToken(machine, inputs);
  await machine.construct(opPredeploys.weth, optimismArtifact('WETH').bytecode);
  await machine.setCode(systemAddresses.beaconRoots, EIP4788_CODE);
  await machine.setCode(systemAddresses.historyStorage, EIP2935_CODE);
  await installPreinstalls(machine, Number(common.chainId()));
  return machine.alloc();
};

/** OPEN on L1 is the coin here: the same call that SystemConfig sends as a deposit when it is initialized. */
const setGasToken = async (machine: GenesisMachine, { l1 }: GenesisInputs): Promise<void> => {
  const text = (value: string): Hex => pad(`0x${Buffer.from(value).toString('hex')}`, { size: 32, dir: 'right' });
  await machine.call(
    systemAddresses.depositor,
    opPredeploys.l1Block,
    encodeFunctionData({
      abi: contracts.l1BlockAbi,
      functionName: 'setGasPayingToken',
      args: [l1.open, 18, text('OpenLedger'), text('OPEN')],
    }),
  );
};

/** viem carries the code but doesn't export it; its version is pinned. */
export const multicall3CreationCode = async (): Promise<Hex> => {
  const root = dirname(createRequire(import.meta.url).resolve('viem/package.json'));
  const module = (await import(join(root, '_esm/constants/contracts.js'))) as { multicall3Bytecode: Hex };
  return module.multicall3Bytecode;
};
