import { feeScalars, type L1Contracts, type SystemConfig } from '@openledger/chain-config';
import { openAbi, openBytecode } from '@openledger/contracts';
import { OpenLedgerError } from '@openledger/kit';
import { optimismArtifact } from '@openledger/node';
import {
  type Abi,
  type Account,
  type Address,
  type Chain,
  encodeDeployData,
  encodeFunctionData,
  getContractAddress,
  type Hex,
  type PublicClient,
  pad,
  type Transport,
  type WalletClient,
  zeroAddress,
} from 'viem';

export type DeployL1Inputs = {
  client: PublicClient;
  wallet: WalletClient<Transport, Chain, Account>;
  /** Called when all transactions are sent; a chain that doesn't mine by itself mines here. */
  mine(): Promise<void>;
  governance: Address;
  proposer: Address;
  systemConfig: SystemConfig;
  batchInbox: Address;
  l2BlockTime: bigint;
  submissionInterval: bigint;
  finalizationPeriodSeconds: bigint;
  /** The L2 genesis time: timestamp of the L1 block that L2 starts from. */
  l2GenesisTime: bigint;
};

const DEPLOY_GAS = 8_000_000n;
const CALL_GAS = 2_000_000n;

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
 * Deploys the OPEN token and the OP Stack's L1 contracts with OPEN as the L2's coin. All addresses follow from the
 * deployer's nonces, so that everything is sent at once. @throws L1_DEPLOYMENT_FAILED
 */
export const deployL1 = async (inputs: DeployL1Inputs): Promise<L1Contracts> => {
  const { client, wallet, governance } = inputs;
  const deployer = wallet.account.address;
  let nonce = await client.getTransactionCount({ address: deployer });
  const hashes: Hex[] = [];
  const send = async (request: { to?: Address; data: Hex; gas: bigint }): Promise<Address> => {
    const address = getContractAddress({ from: deployer, nonce: BigInt(nonce) });
    hashes.push(
      await wallet.sendTransaction({ ...request, nonce: nonce++ } as Parameters<typeof wallet.sendTransaction>[0]),
    );
    return address;
  };
  const deploy = (abi: Abi, bytecode: Hex, args: readonly unknown[] = []) =>
    send({ data: encodeDeployData({ abi, bytecode, args }), gas: DEPLOY_GAS });
  const proxy = () => {
    const { abi, bytecode } = optimismArtifact('Proxy');
    return deploy(abi, bytecode, [deployer]);
  };
  const install = async (name: string, address: Address, args: readonly unknown[]) => {
    const { abi, bytecode } = optimismArtifact(name);
    const implementation = await deploy(abi, bytecode);
    const initialize = encodeFunctionData({ abi, functionName: 'initialize', args });
    const data = encodeFunctionData({
      abi: optimismArtifact('Proxy').abi,
      functionName: 'upgradeToAndCall',
      args: [implementation, initialize],
    });
    await send({ to: address, data, gas: CALL_GAS });
  };

  const open = await deploy(openAbi as Abi, openBytecode, [deployer]);
  const superchainConfig = await proxy();
  const l2OutputOracle = await proxy();
  const optimismPortal = await proxy();
  const systemConfig = await proxy();
  const l1CrossDomainMessenger = await proxy();
  const l1StandardBridge = await proxy();

  await install('SuperchainConfig', superchainConfig, [governance, false]);
  await install('L2OutputOracle', l2OutputOracle, [
    inputs.submissionInterval,
    inputs.l2BlockTime,
    0n,
    inputs.l2GenesisTime,
    inputs.proposer,
    governance,
    inputs.finalizationPeriodSeconds,
  ]);
  await install('OptimismPortal', optimismPortal, [l2OutputOracle, systemConfig, superchainConfig]);
  const scalars = feeScalars(inputs.systemConfig.scalar);
  await install('SystemConfig', systemConfig, [
    governance,
    scalars.baseFeeScalar,
    scalars.blobBaseFeeScalar,
    pad(inputs.systemConfig.batcherAddress, { size: 32 }),
    inputs.systemConfig.gasLimit,
    governance,
    resourceConfig,
    inputs.batchInbox,
    {
      l1CrossDomainMessenger,
      l1ERC721Bridge: zeroAddress,
      l1StandardBridge,
      disputeGameFactory: zeroAddress,
      optimismPortal,
      optimismMintableERC20Factory: zeroAddress,
      gasPayingToken: open,
    },
  ]);
  await install('L1CrossDomainMessenger', l1CrossDomainMessenger, [superchainConfig, optimismPortal, systemConfig]);
  await install('L1StandardBridge', l1StandardBridge, [l1CrossDomainMessenger, superchainConfig, systemConfig]);

  await inputs.mine();
  for (const hash of hashes) {
    const receipt = await client.waitForTransactionReceipt({ hash, pollingInterval: 50 });
    if (receipt.status !== 'success') {
      throw new OpenLedgerError(`L1 deployment transaction ${hash} failed`, {
        code: 'L1_DEPLOYMENT_FAILED',
        handling: 'fatal',
        action: 'Check the deployer’s balance and the L1 gas limit, then start again in an empty data directory.',
      });
    }
  }
  return {
    open,
    optimismPortal,
    systemConfig,
    l2OutputOracle,
    l1CrossDomainMessenger,
    l1StandardBridge,
    superchainConfig,
  };
};
