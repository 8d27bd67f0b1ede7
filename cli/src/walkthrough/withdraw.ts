import { openLedgerChain } from '@openledger/chain-config';
import { openAbi } from '@openledger/contracts';
import { sleep } from '@openledger/kit';
import {
  createPublicClient,
  createWalletClient,
  formatEther,
  type Hex,
  http,
  parseEther,
  type TransactionReceipt,
} from 'viem';
import { getWithdrawals, publicActionsL1, publicActionsL2, walletActionsL1, walletActionsL2 } from 'viem/op-stack';
import { devnetAccount, l1Chain } from '../devnet/network.ts';
import type { WalkthroughContext } from './context.ts';
import { check, type StepOutcome } from './steps.ts';

const AMOUNT = parseEther('2.5');
const ROLE = 'deployer';
/** To have its withdrawal proposed and final takes minutes; on the devnet about one and a half. Milliseconds. */
const PATIENCE_MS = 5 * 60_000;
const POLL_MS = 1_000;

export type Withdrawal = StepOutcome & { readonly receipt: TransactionReceipt };

const clientsOf = ({ devnet, chainId }: WalkthroughContext) => {
  const { chain, urls } = devnet;
  const account = devnetAccount(ROLE);
  const l1 = l1Chain(urls.l1);
  const l2 = openLedgerChain({
    id: chainId,
    name: chain.name,
    rpcUrl: urls.l2,
    l1ChainId: l1.id,
    contracts: chain.l1Contracts,
  });
  return {
    l2Chain: l2,
    l1: createPublicClient({ chain: l1, transport: http(), pollingInterval: 200 }).extend(publicActionsL1()),
    l2: createPublicClient({ chain: l2, transport: http(), pollingInterval: 200 }).extend(publicActionsL2()),
    l1Wallet: createWalletClient({ chain: l1, transport: http(), account }).extend(walletActionsL1()),
    l2Wallet: createWalletClient({ chain: l2, transport: http(), account }).extend(walletActionsL2()),
    account,
  };
};

/** Burns OPEN on L2, which says on L1 that as much may be released. */
export const beginWithdrawal = async (context: WalkthroughContext): Promise<Withdrawal> => {
  const { l2, l2Wallet, account } = clientsOf(context);
  const hash = await l2Wallet.initiateWithdrawal({
    account,
    request: { gas: 100_000n, to: account.address, value: AMOUNT },
  });
  const receipt = await l2.waitForTransactionReceipt({ hash });
  check(receipt.status === 'success', `withdrawal ${hash} failed on L2`);
  const detail = `${formatEther(AMOUNT)} OPEN left L2 in block ${receipt.blockNumber}; its output has to be proposed first`;
  return { detail, txHash: hash, receipt };
};

/** Proves the withdrawal against a proposed output, waits its time and finalizes it: OPEN is back on L1, to the wei. */
export const endWithdrawal = async (context: WalkthroughContext, begun: Withdrawal): Promise<StepOutcome> => {
  const { l1, l2, l1Wallet, l2Chain, account } = clientsOf(context);
  const { open } = context.devnet.chain.l1Contracts;
  const [withdrawal] = getWithdrawals({ logs: begun.receipt.logs });
  check(withdrawal !== undefined, 'the withdrawal is not in its receipt');
  const deadline = Date.now() + PATIENCE_MS;
  const reach = async (wanted: string): Promise<void> => {
    for (;;) {
      const status = await l1.getWithdrawalStatus({ receipt: begun.receipt, targetChain: l2Chain as never });
      if (status === wanted) return;
      check(Date.now() < deadline, `the withdrawal is ${status}, not ${wanted}, after ${PATIENCE_MS / 1000} s`);
      await sleep(POLL_MS);
    }
  };
  const balance = () =>
    l1.readContract({ address: open, abi: openAbi, functionName: 'balanceOf', args: [account.address] });

  await reach('ready-to-prove');
  const output = await l1.getL2Output({ l2BlockNumber: begun.receipt.blockNumber, targetChain: l2Chain as never });
  const proof = await l2.buildProveWithdrawal({ output, withdrawal });
  await succeed(await l1Wallet.proveWithdrawal({ ...proof, account, targetChain: l2Chain } as never), 'proof');
  await reach('ready-to-finalize');
  // viem goes by this machine's clock, the portal by the time of L1's newest block.
  const request = { account, targetChain: l2Chain, withdrawal } as never;
  while (!(await l1.estimateFinalizeWithdrawalGas(request).catch(() => undefined))) {
    check(Date.now() < deadline, `the portal does not finalize the withdrawal after ${PATIENCE_MS / 1000} s`);
    await sleep(POLL_MS);
  }
  const before = await balance();
  const hash = await l1Wallet.finalizeWithdrawal(request);
  await succeed(hash, 'finalization');
  const released = (await balance()) - before;
  check(released === AMOUNT, `${formatEther(released)} OPEN were released instead of ${formatEther(AMOUNT)}`);
  return {
    detail: `proven against output ${output.outputIndex} of L2 block ${output.l2BlockNumber}; ${formatEther(released)} OPEN released on L1`,
    txHash: hash,
    look: `balanceOf(${account.address}) of ${open} at ${context.devnet.urls.l1}`,
  };

  async function succeed(transaction: Hex, what: string): Promise<void> {
    const { status } = await l1.waitForTransactionReceipt({ hash: transaction });
    check(status === 'success', `the withdrawal's ${what} ${transaction} failed on L1`);
  }
};
