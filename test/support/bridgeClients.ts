import type { devnet } from '@openledger/chain-config';
import { openAbi } from '@openledger/contracts';
import { optimismArtifact } from '@openledger/node';
import {
  type Abi,
  type Address,
  type Chain,
  type ChainContract,
  createPublicClient,
  createWalletClient,
  type Hex,
  http,
  type LocalAccount,
  type TransactionReceipt,
} from 'viem';
import { type chainConfig, publicActionsL1, publicActionsL2, walletActionsL1, walletActionsL2 } from 'viem/op-stack';
import type { Rollup } from './rollup.ts';

type OnL1 = { readonly [_ in typeof devnet.l1ChainId]: ChainContract };
/** `openLedgerChain` tells the type checker no more than `Chain`; this is what it makes. */
type L2Chain = Chain<(typeof chainConfig)['formatters']> & {
  contracts: Chain['contracts'] & { readonly portal: OnL1; readonly l2OutputOracle: OnL1 };
};

/** viem as an application uses it: clients of both layers with the OP Stack's actions. */
export const bridgeClients = (rollup: Rollup, account: LocalAccount) => {
  const { l1 } = rollup;
  const chain = rollup.chain as L2Chain;
  const read = { cacheTime: 0, pollingInterval: 20 };
  const l1At = { chain: l1.chain, transport: http(l1.url, { retryCount: 0 }) };
  const l2At = { chain, transport: http(rollup.url, { retryCount: 0 }) };
  return {
    rollup,
    account,
    targetChain: chain,
    l1: createPublicClient({ ...read, ...l1At }).extend(publicActionsL1()),
    l1Wallet: createWalletClient({ ...l1At, account }).extend(walletActionsL1()),
    l2: createPublicClient({ ...read, ...l2At }).extend(publicActionsL2()),
    l2Wallet: createWalletClient({ ...l2At, account }).extend(walletActionsL2()),
  };
};

export type BridgeClients = ReturnType<typeof bridgeClients>;
export type L2Receipt = Awaited<ReturnType<BridgeClients['l2']['getTransactionReceipt']>>;

/** One of the OP Stack's contracts. */
export const contract = (name: string, address: Address) => ({ address, abi: optimismArtifact(name).abi });

/** Turns until the transaction is in a block. @throws when it failed there */
const included = async <T extends Pick<TransactionReceipt, 'status'>>(
  rollup: Rollup,
  read: () => Promise<T>,
): Promise<T> => {
  let receipt: T | undefined;
  await rollup.until(async () => {
    receipt = await read().catch(() => undefined);
    return receipt !== undefined;
  });
  if (receipt?.status !== 'success') throw new Error('a transaction failed');
  return receipt;
};

export const onL1 = ({ rollup, l1 }: BridgeClients, hash: Hex): Promise<TransactionReceipt> =>
  included(rollup, () => l1.getTransactionReceipt({ hash }));

export const onL2 = ({ rollup, l2 }: BridgeClients, hash: Hex): Promise<L2Receipt> =>
  included(rollup, () => l2.getTransactionReceipt({ hash }));

type Call = { address: Address; abi: Abi; functionName: string; args: readonly unknown[] };

export const writeL1 = async (clients: BridgeClients, call: Call): Promise<TransactionReceipt> =>
  onL1(clients, await clients.l1Wallet.writeContract({ ...call, chain: clients.rollup.l1.chain }));

export const writeL2 = async (clients: BridgeClients, call: Call): Promise<L2Receipt> =>
  onL2(clients, await clients.l2Wallet.writeContract({ ...call, chain: clients.targetChain }));

/** Tokens that `owner` has, wei. */
export const tokensOf = (client: BridgeClients['l1'] | BridgeClients['l2'], token: Address, owner: Address) =>
  (client as BridgeClients['l1']).readContract({
    address: token,
    abi: openAbi,
    functionName: 'balanceOf',
    args: [owner],
  });
