import type { Hex, TransactionReceipt } from 'viem';
import { type GetWithdrawalStatusReturnType, type GetWithdrawalsReturnType, getWithdrawals } from 'viem/op-stack';
import { type BridgeClients, type L2Receipt, onL1 } from './bridgeClients.ts';

type Withdrawal = GetWithdrawalsReturnType[number];

/** The one withdrawal of a transaction on L2. */
export const withdrawalOf = (receipt: Pick<L2Receipt, 'logs'>): Withdrawal => {
  const [withdrawal] = getWithdrawals(receipt);
  if (!withdrawal) throw new Error('no withdrawal in the receipt');
  return withdrawal;
};

export const statusOf = (clients: BridgeClients, receipt: L2Receipt): Promise<GetWithdrawalStatusReturnType> =>
  clients.l1.getWithdrawalStatus({ receipt: receipt as TransactionReceipt, targetChain: clients.targetChain });

/** Seconds. */
export const timeToProve = async ({ l1, targetChain }: BridgeClients, receipt: L2Receipt): Promise<number> =>
  (await l1.getTimeToProve({ receipt: receipt as TransactionReceipt, targetChain })).seconds;

/** Turns until L2OutputOracle has an output that covers the withdrawal. */
export const untilProvable = (clients: BridgeClients, receipt: L2Receipt): Promise<void> =>
  clients.rollup.until(async () => (await statusOf(clients, receipt)) !== 'waiting-to-prove');

/** What `proveWithdrawal` takes, as viem's guide makes it. */
export const buildProof = async (clients: BridgeClients, receipt: L2Receipt) => {
  const { targetChain, l1, l2 } = clients;
  const { output, withdrawal } = await l1.waitToProve({ receipt: receipt as TransactionReceipt, targetChain });
  const proof = await l2.buildProveWithdrawal({ output, withdrawal });
  return { ...proof, account: clients.account, targetChain };
};

export const prove = async (clients: BridgeClients, receipt: L2Receipt): Promise<TransactionReceipt> =>
  onL1(clients, await clients.l1Wallet.proveWithdrawal(await buildProof(clients, receipt)));

export const finalize = async (clients: BridgeClients, receipt: L2Receipt): Promise<TransactionReceipt> => {
  const { targetChain, account, l1Wallet } = clients;
  const hash: Hex = await l1Wallet.finalizeWithdrawal({ targetChain, account, withdrawal: withdrawalOf(receipt) });
  return onL1(clients, hash);
};
