import { openAbi } from '@openledger/contracts';
import { optimismArtifact } from '@openledger/node';
import { createPublicClient, createWalletClient, formatEther, type Hex, http, parseEther } from 'viem';
import { devnetAccount, l1Chain } from '../devnet/network.ts';
import type { Role, WalkthroughContext } from './context.ts';
import { check, type StepOutcome } from './steps.ts';

const GRANTS: readonly (readonly [Role, string])[] = [
  ['deployer', '1000'],
  ['governance', '100'],
  ['runner', '100'],
  ['distributor', '100'],
  ['modelBuilder', '100'],
  ['ana', '10'],
  ['bo', '10'],
  ['chi', '10'],
];
const L2_GAS = 100_000n;

/** Locks OPEN in the portal on L1 for every account of the walkthrough and waits until it has arrived on L2. */
export const bridgeOpen = async (context: WalkthroughContext): Promise<StepOutcome> => {
  const { l1Contracts } = context.devnet.chain;
  const chain = l1Chain(context.devnet.urls.l1);
  const client = createPublicClient({ chain, transport: http(), pollingInterval: 200 });
  const wallet = createWalletClient({ chain, transport: http(), account: devnetAccount('deployer') });
  const portal = { address: l1Contracts.optimismPortal, abi: optimismArtifact('OptimismPortal').abi } as const;
  const total = GRANTS.reduce((sum, [, amount]) => sum + parseEther(amount), 0n);
  const before = new Map<Role, bigint>();
  for (const [role] of GRANTS) before.set(role, await balanceOf(context, role));

  let nonce = await client.getTransactionCount({ address: wallet.account.address });
  await wallet.writeContract({
    address: l1Contracts.open,
    abi: openAbi,
    functionName: 'approve',
    args: [l1Contracts.optimismPortal, total],
    nonce: nonce++,
  });
  const hashes: Hex[] = [];
  for (const [role, amount] of GRANTS) {
    const value = parseEther(amount);
    hashes.push(
      await wallet.writeContract({
        ...portal,
        functionName: 'depositERC20Transaction',
        args: [devnetAccount(role).address, value, value, L2_GAS, false, '0x'],
        gas: 1_000_000n,
        nonce: nonce++,
      }),
    );
  }
  for (const hash of hashes) {
    const receipt = await client.waitForTransactionReceipt({ hash });
    check(receipt.status === 'success', `deposit ${hash} failed on L1`);
  }
  for (const [role, amount] of GRANTS)
    await waitForBalance(context, role, (before.get(role) ?? 0n) + parseEther(amount));
  const locked = await client.readContract({
    address: l1Contracts.open,
    abi: openAbi,
    functionName: 'balanceOf',
    args: [l1Contracts.optimismPortal],
  });
  return {
    detail: `${formatEther(total)} OPEN from L1 to ${GRANTS.length} accounts; ${formatEther(locked)} OPEN locked in the portal`,
    ...(hashes[0] ? { txHash: hashes[0] } : {}),
    look: `eth_getBalance at ${context.devnet.urls.l2}`,
  };
};

const balanceOf = (context: WalkthroughContext, role: Role): Promise<bigint> =>
  context.client('deployer').public.getBalance({ address: devnetAccount(role).address });

const waitForBalance = async (context: WalkthroughContext, role: Role, expected: bigint): Promise<void> => {
  const deadline = Date.now() + 60_000;
  while ((await balanceOf(context, role)) < expected) {
    check(Date.now() < deadline, `the deposit for ${role} did not arrive on L2 within 60 s`);
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
};
