import { openAbi } from '@openledger/contracts';
import { createPublicClient, formatEther, http, parseEther } from 'viem';
import { depositOpen } from '../devnet/depositOpen.ts';
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

/** Locks OPEN in the portal on L1 for every account of the walkthrough and waits until it has arrived on L2. */
export const bridgeOpen = async (context: WalkthroughContext): Promise<StepOutcome> => {
  const { l1Contracts } = context.devnet.chain;
  const client = createPublicClient({ chain: l1Chain(context.devnet.urls.l1), transport: http() });
  const total = GRANTS.reduce((sum, [, amount]) => sum + parseEther(amount), 0n);
  const before = new Map<Role, bigint>();
  for (const [role] of GRANTS) before.set(role, await balanceOf(context, role));
  const hashes = await depositOpen(
    context.devnet,
    GRANTS.map(([role, amount]) => [devnetAccount(role).address, parseEther(amount)]),
  );
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
