import { openAbi } from '@openledger/contracts';
import { OpenLedgerError } from '@openledger/kit';
import { optimismArtifact } from '@openledger/node';
import { type Address, createPublicClient, createWalletClient, type Hex, http } from 'viem';
import { devnetAccount, l1Chain } from './network.ts';
import type { Devnet } from './startDevnet.ts';

export type Grant = readonly [receiver: Address, wei: bigint];

const L2_GAS = 100_000n;

/**
 * Locks OPEN of the devnet's deployer in the portal on L1, for receivers on L2; returns the deposits' L1 transactions when they
 * are in L1 blocks. @throws DEPOSIT_FAILED
 */
export const depositOpen = async (devnet: Pick<Devnet, 'chain' | 'urls'>, grants: readonly Grant[]): Promise<Hex[]> => {
  const { l1Contracts } = devnet.chain;
  const chain = l1Chain(devnet.urls.l1);
  const client = createPublicClient({ chain, transport: http(), pollingInterval: 200 });
  const wallet = createWalletClient({ chain, transport: http(), account: devnetAccount('deployer') });
  let nonce = await client.getTransactionCount({ address: wallet.account.address });
  await wallet.writeContract({
    address: l1Contracts.open,
    abi: openAbi,
    functionName: 'approve',
    args: [l1Contracts.optimismPortal, grants.reduce((sum, [, wei]) => sum + wei, 0n)],
    nonce: nonce++,
  });
  const hashes: Hex[] = [];
  for (const [receiver, wei] of grants) {
    hashes.push(
      await wallet.writeContract({
        address: l1Contracts.optimismPortal,
        abi: optimismArtifact('OptimismPortal').abi,
        functionName: 'depositERC20Transaction',
        args: [receiver, wei, wei, L2_GAS, false, '0x'],
        gas: 1_000_000n,
        nonce: nonce++,
      }),
    );
  }
  for (const hash of hashes) {
    const receipt = await client.waitForTransactionReceipt({ hash });
    if (receipt.status === 'success') continue;
    throw new OpenLedgerError(`deposit ${hash} failed on L1`, {
      code: 'DEPOSIT_FAILED',
      handling: 'fatal',
      action: 'See why with cast run; the deployer may have too little OPEN.',
    });
  }
  return hashes;
};
