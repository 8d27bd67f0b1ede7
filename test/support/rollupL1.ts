import { devnet, preinstalls } from '@openledger/chain-config';
import { openAbi, openBytecode } from '@openledger/contracts';
import { multicall3CreationCode } from '@openledger/node';
import {
  type Abi,
  type Address,
  createPublicClient,
  createWalletClient,
  encodeDeployData,
  type Hex,
  http,
  keccak256,
  type PublicClient,
  parseEther,
  toBytes,
} from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import type { ChainFile } from '../../cli/src/chainFile.ts';
import { l1Chain } from '../../cli/src/devnet/network.ts';
import { deployL1 } from '../../cli/src/init/deployL1.ts';
import { makeChainFile } from '../../cli/src/init/makeChainFile.ts';
import { planL1 } from '../../cli/src/init/planL1.ts';
import type { L1Source } from '../../node/src/l1/l1Source.ts';
import { createL1RpcSource } from '../../node/src/l1/rpcL1Source.ts';
import { type AnvilL1, startAnvilL1 } from '../../node/test/support/anvil.ts';
import { governance, lower, wallet } from '../../node/test/support/wallets.ts';

/** Owns the supply of OPEN and of the other token on L1. */
export const holderKey = keccak256(toBytes('bridge holder'));
export const holder = privateKeyToAccount(holderKey);
export const batcher = wallet('bridge batcher');
export const proposer = wallet('bridge proposer');

/** Seconds; L2 blocks. */
export const FINALIZATION_PERIOD = 40n;
export const SUBMISSION_INTERVAL = 10n;
const L1_BLOCK_TIME = 2;
const BLOB_TYPE = 3;

export type RollupL1 = {
  readonly anvil: AnvilL1;
  readonly url: string;
  readonly chain: ReturnType<typeof l1Chain>;
  readonly client: PublicClient;
  /** What a network's processes share: contracts on L1, genesis of L2. */
  readonly file: ChainFile;
  /** An ERC-20 that has nothing to do with OPEN. */
  readonly token: Address;
};

/** A real L1 with everything that a rollup with OPEN as its coin needs; it mines when it is told to. */
export const startRollupL1 = async (timestamp: bigint): Promise<RollupL1> => {
  const anvil = await startAnvilL1(['--timestamp', String(timestamp), '--gas-limit', '150000000']);
  await anvil.client.setBlockTimestampInterval({ interval: L1_BLOCK_TIME });
  for (const { address } of [holder, batcher, proposer]) await anvil.balance(address, parseEther('1000'));
  const chain = l1Chain(anvil.url);
  const client = createPublicClient({ chain, transport: http(anvil.url), cacheTime: 0, pollingInterval: 20 });
  const wallet = createWalletClient({ chain, transport: http(anvil.url), account: holder });

  const deploy = async (data: Hex): Promise<Address> => {
    const hash = await wallet.sendTransaction({ data, gas: 5_000_000n });
    await anvil.mine();
    const { contractAddress } = await client.getTransactionReceipt({ hash });
    if (!contractAddress) throw new Error('nothing was deployed');
    return contractAddress;
  };
  const multicall3 = await deploy(await multicall3CreationCode());
  const bytecode = (await client.getCode({ address: multicall3 })) ?? '0x';
  await anvil.client.setCode({ address: preinstalls.multicall3, bytecode });
  const token = await deploy(encodeDeployData({ abi: openAbi as Abi, bytecode: openBytecode, args: [holder.address] }));

  const start = await client.getBlock();
  const systemConfig = {
    ...devnet.systemConfig,
    batcherAddress: lower(batcher.address),
    // L1's SystemConfig of this version has no operator fee: it is the genesis' and stays so.
    operatorFeeScalar: 1_500,
    operatorFeeConstant: 123_456_789n,
  };
  const plan = planL1(
    {
      deployer: holder.address,
      governance: governance.address,
      proposer: proposer.address,
      systemConfig,
      batchInbox: devnet.batchInboxAddress,
      l2BlockTime: 1n,
      submissionInterval: SUBMISSION_INTERVAL,
      finalizationPeriodSeconds: FINALIZATION_PERIOD,
      l2GenesisTime: start.timestamp,
      openHolder: holder.address,
    },
    await client.getTransactionCount({ address: holder.address }),
  );
  await deployL1(plan, { client: client as PublicClient, wallet, mine: anvil.mine, pollInterval: 10 });
  const { l1ChainId, l2ChainId, maxSequencerDrift, sequencerWindowSize, channelTimeout, eip1559, economics } = devnet;
  const protocol = { l1ChainId, l2ChainId, maxSequencerDrift, sequencerWindowSize, channelTimeout, eip1559 };
  const file = await makeChainFile(
    {
      ...protocol,
      name: 'bridge test',
      blockTime: 1n,
      batchInboxAddress: devnet.batchInboxAddress,
      systemConfig,
      governance: governance.address,
      economics,
    },
    start,
    plan.contracts,
  );
  return { anvil, url: anvil.url, chain, client: client as PublicClient, file, token };
};

/** Checked by recomputing, all but the transaction roots of blocks with blobs: anvil's are not the protocol's there. */
export const l1SourceOf = ({ url }: RollupL1): L1Source => {
  const given = { url, beaconUrl: url };
  const strict = createL1RpcSource(given);
  const trusting = createL1RpcSource({ ...given, trustRpc: true });
  const transactions: L1Source['transactions'] = async (block) => {
    const claimed = await trusting.transactions(block);
    return claimed.some(({ type }) => type === BLOB_TYPE) ? claimed : strict.transactions(block);
  };
  return { ...strict, transactions };
};
