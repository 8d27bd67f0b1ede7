import { OpenLedgerError, sleep } from '@openledger/kit';
import {
  type Account,
  type Address,
  type Chain,
  getAddress,
  type Hex,
  type PublicClient,
  type Transport,
  type WalletClient,
} from 'viem';
import type { DeploymentStep, L1Deployment } from './planL1.ts';

export type DeployL1Options = {
  readonly client: PublicClient;
  readonly wallet: WalletClient<Transport, Chain, Account>;
  /** Called when everything is sent; a chain that doesn't mine by itself mines here. */
  mine?(): Promise<void>;
  onSent?(step: DeploymentStep, hash: Hex): void;
  /** Milliseconds between looks at L1. */
  readonly pollInterval?: number;
};

/** EIP-1967. */
const IMPLEMENTATION_SLOT: Hex = '0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc';
/** A transaction that L1 has lost is sent again after this. Milliseconds. */
const RESEND_MS = 120_000;

/**
 * Carries out a plan from wherever the deployer's nonce says it stands, and checks the result on chain. Everything is sent at
 * once, in order. @throws L1_DEPLOYMENT_FAILED
 */
export const deployL1 = async (deployment: L1Deployment, options: DeployL1Options): Promise<void> => {
  const { client, wallet, pollInterval = 1_000 } = options;
  const { steps } = deployment;
  const first = steps[0]?.nonce ?? 0;
  const end = first + steps.length;
  const nonceAt = (blockTag: 'latest' | 'pending') =>
    client.getTransactionCount({ address: wallet.account.address, blockTag });
  for (;;) {
    const [mined, pending] = [await nonceAt('latest'), await nonceAt('pending')];
    if (mined < first || mined > end) {
      throw failed(`the deployer has made other transactions (nonce ${mined}, expected ${first} to ${end})`);
    }
    for (const step of steps.slice(Math.max(mined, pending) - first)) {
      const hash = await send(wallet, step);
      options.onSent?.(step, hash);
    }
    if (mined < end) await options.mine?.();
    if (await reaches(nonceAt, end, pollInterval)) break;
  }
  await checkDeployment(deployment, client);
};

const send = (wallet: DeployL1Options['wallet'], { name, ...request }: DeploymentStep): Promise<Hex> =>
  wallet.sendTransaction(request as Parameters<typeof wallet.sendTransaction>[0]).catch((cause) => {
    throw failed(`"${name}" could not be sent`, cause);
  });

const reaches = async (
  nonceAt: (tag: 'latest') => Promise<number>,
  end: number,
  pollInterval: number,
): Promise<boolean> => {
  const deadline = Date.now() + RESEND_MS;
  while ((await nonceAt('latest')) < end) {
    if (Date.now() > deadline) return false;
    await sleep(pollInterval);
  }
  return true;
};

/** That a transaction was mined doesn't say that it succeeded, nor that it was ours. */
const checkDeployment = async ({ contracts, implementations }: L1Deployment, client: PublicClient): Promise<void> => {
  for (const [name, address] of Object.entries(contracts)) {
    const code = await client.getCode({ address });
    if (!code) throw failed(`${name} has no code at ${address}`);
  }
  for (const [proxy, implementation] of implementations) {
    const slot = await client.getStorageAt({ address: proxy, slot: IMPLEMENTATION_SLOT });
    const actual: Address = getAddress(`0x${(slot ?? '').slice(-40).padStart(40, '0')}`);
    if (actual !== getAddress(implementation)) throw failed(`the proxy ${proxy} was not initialized`);
  }
};

const failed = (reason: string, cause?: unknown) =>
  new OpenLedgerError(`L1 deployment: ${reason}`, {
    code: 'L1_DEPLOYMENT_FAILED',
    handling: 'fatal',
    action: 'Check the deployer’s balance, nonce and the L1 gas limit; then run again, or start in an empty folder.',
    cause,
  });
