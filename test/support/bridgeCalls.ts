import { opPredeploys, predeploys } from '@openledger/chain-config';
import { openAbi, stakingAbi } from '@openledger/contracts';
import type { Abi, Address, Hex, TransactionReceipt } from 'viem';
import { type BridgeClients, contract, type L2Receipt, onL2, writeL1, writeL2 } from './bridgeClients.ts';

const approve = (clients: BridgeClients, token: Address, spender: Address, amount: bigint) =>
  writeL1(clients, { address: token, abi: openAbi as Abi, functionName: 'approve', args: [spender, amount] });

/** Locks OPEN in the portal; `value` of it goes to somebody else on L2, as much as there is. */
export const depositOpen = async (
  clients: BridgeClients,
  { to, mint, value }: { to: Address; mint: bigint; value: bigint },
): Promise<TransactionReceipt> => {
  const { open, optimismPortal } = clients.rollup.l1.file.l1Contracts;
  await approve(clients, open, optimismPortal, mint);
  const portal = contract('OptimismPortal', optimismPortal);
  const args = [to, mint, value, 100_000n, false, '0x'];
  return writeL1(clients, { ...portal, functionName: 'depositERC20Transaction', args });
};

/** A token on L2 that stands for one on L1, from the factory. */
export const createL2Token = async (clients: BridgeClients, remote: Address): Promise<Address> => {
  const factory = contract('OptimismMintableERC20Factory', opPredeploys.optimismMintableERC20Factory);
  const create = { ...factory, functionName: 'createOptimismMintableERC20', args: [remote, 'Other', 'OTH'] };
  const { result } = await clients.l2.simulateContract({ ...create, account: clients.account });
  await writeL2(clients, create);
  return result as Address;
};

export const depositToken = async (
  clients: BridgeClients,
  l2Token: Address,
  amount: bigint,
): Promise<TransactionReceipt> => {
  const { file, token } = clients.rollup.l1;
  const bridge = contract('L1StandardBridge', file.l1Contracts.l1StandardBridge);
  await approve(clients, token, bridge.address, amount);
  const args = [token, l2Token, amount, 200_000, '0x'];
  return writeL1(clients, { ...bridge, functionName: 'depositERC20', args });
};

/** `withdraw` of the same bridge is refused on a chain with a coin of its own. */
export const withdrawToken = (clients: BridgeClients, l2Token: Address, amount: bigint): Promise<L2Receipt> => {
  const bridge = contract('L2StandardBridge', opPredeploys.l2StandardBridge);
  const args = [l2Token, clients.rollup.l1.token, amount, 0, '0x'];
  return writeL2(clients, { ...bridge, functionName: 'bridgeERC20', args });
};

export const withdrawOpen = async (clients: BridgeClients, to: Address, value: bigint): Promise<L2Receipt> => {
  const request = { gas: 100_000n, to, value };
  const hash: Hex = await clients.l2Wallet.initiateWithdrawal({ account: clients.account, request });
  return onL2(clients, hash);
};

/** A transaction that our event log tells about. */
export const bond = async (clients: BridgeClients, value: bigint): Promise<L2Receipt> => {
  const call = { address: predeploys.staking, abi: stakingAbi, functionName: 'bond' } as const;
  return onL2(clients, await clients.l2Wallet.writeContract({ ...call, value }));
};
