import { NATIVE_TOKEN } from '@openledger/chain-config';
import { ContractRefusedError, contracts } from '@openledger/client';
import { rewardsAbi } from '@openledger/contracts';
import { sleep } from '@openledger/kit';
import { computeEpoch, type EpochLedger, lastFinalBlock, verifyEpoch } from '@openledger/rewards';
import { formatEther, type Hex, parseEventLogs } from 'viem';
import type { WalkthroughContext } from './context.ts';
import { check, StepFailed, type StepOutcome } from './steps.ts';

export type Proposed = StepOutcome & { epoch: bigint; ledger: EpochLedger };

const rules = (context: WalkthroughContext) => ({
  platform: context.devnet.chain.governance.toLowerCase() as `0x${string}`,
});

/** Computes the ledger from the event log alone, proposes its root with a bond, and has it checked by recomputing. */
export const proposeEpoch = async (context: WalkthroughContext): Promise<Proposed> => {
  const head = await context.reader.head();
  check(head !== undefined, 'the event log is empty');
  // An epoch covers finished blocks only: the contract asks for one below the block that it runs in.
  while ((await context.client('distributor').public.getBlockNumber()) <= head.number) await sleep(200);
  const ledger = await computeEpoch({
    reader: context.reader,
    chainId: context.chainId,
    fromBlock: await lastFinalBlock(context.reader),
    toBlock: head.number,
    rules: rules(context),
  });
  const { public: client } = context.client('distributor');
  const [bond, prevRoot] = await Promise.all([
    client.readContract({ ...contracts.rewards, functionName: 'BOND' }),
    client.readContract({ ...contracts.rewards, functionName: 'root' }),
  ]);
  const receipt = await context.send('distributor', {
    ...contracts.rewards,
    functionName: 'proposeRoot',
    args: [
      {
        root: ledger.root,
        prevRoot,
        dataHash: ledger.dataHash,
        traceRoot: ledger.trace.root,
        treeRoot: ledger.nodes.root,
        records: ledger.records,
        accounts: BigInt(ledger.leaves.length),
        toBlock: ledger.toBlock,
        total: ledger.total,
      },
    ],
    value: bond,
  });
  const [proposed] = parseEventLogs({ abi: rewardsAbi, eventName: 'RootProposed', logs: receipt.logs });
  if (!proposed) throw new StepFailed('no RootProposed event');
  const { epoch } = proposed.args;
  await context.waitFor('RootProposed', (event) => event.args.epoch === epoch, 30);
  const verified = await verifyEpoch({
    reader: context.reader,
    chainId: context.chainId,
    epoch,
    rules: rules(context),
  });
  check(verified.ok, `the recomputed ${verified.difference?.field} differs`);
  return {
    epoch,
    ledger,
    txHash: receipt.transactionHash,
    detail: `epoch ${epoch}: ${formatEther(ledger.total)} OPEN for ${ledger.leaves.length} accounts, root ${ledger.root}; recomputed from the log: equal`,
    look: `npm run openledger -- rewards verify --epoch ${epoch} --chain ${context.devnet.dataDir}/chain.json --node ${context.devnet.urls.l2}`,
  };
};

export const finalizeEpoch = async (context: WalkthroughContext, { epoch }: Proposed): Promise<StepOutcome> => {
  const { public: client } = context.client('distributor');
  const { disputableUntil } = await client.readContract({
    ...contracts.rewards,
    functionName: 'epochInfo',
    args: [epoch],
  });
  const deadline = Date.now() + 120_000;
  while ((await client.getBlock()).timestamp <= disputableUntil) {
    check(Date.now() < deadline, 'the dispute window did not end within 120 s');
    await sleep(500);
  }
  const receipt = await context.send('distributor', { ...contracts.rewards, functionName: 'finalize', args: [epoch] });
  return { txHash: receipt.transactionHash, detail: `epoch ${epoch} went undisputed and is final; the bond is back` };
};

export type Claimed = StepOutcome & { payoutSum: bigint; funded: bigint; claimTx: Hex };

/** Claims for everybody (anyone may), then once more, which must be refused. */
export const claimAll = async (context: WalkthroughContext, { ledger }: Proposed): Promise<Claimed> => {
  const { public: client } = context.client('distributor');
  let claimTx: Hex | undefined;
  const parts: string[] = [];
  for (const { account } of ledger.leaves) {
    const claim = ledger.tree.claimOf(account);
    if (!claim) throw new StepFailed(`no proof for ${account}`);
    const claimed = await client.readContract({ ...contracts.rewards, functionName: 'claimed', args: [account] });
    if (claimed === claim.cumulative) continue;
    const before = await client.getBalance({ address: account });
    const args = [account, NATIVE_TOKEN, claim.cumulative, claim.proof];
    // chi sends, so that the balances of the paid accounts change by their claim alone; chi's own is claimed by ana.
    const sender = account === context.address('chi') ? 'ana' : 'chi';
    const receipt = await context.send(sender, { ...contracts.rewards, functionName: 'claim', args });
    const gained = (await client.getBalance({ address: account })) - before;
    check(
      gained === claim.cumulative - claimed,
      `${account} got ${gained} wei instead of ${claim.cumulative - claimed}`,
    );
    if (account === context.address('ana')) claimTx = receipt.transactionHash;
    claimTx ??= receipt.transactionHash;
    parts.push(`${nameOf(context, account)} ${formatEther(gained)}`);
    const again = await context
      .send(sender, { ...contracts.rewards, functionName: 'claim', args })
      .catch((error) => error);
    check(
      again instanceof ContractRefusedError && again.errorName === 'NothingToClaim',
      'a second claim was not refused',
    );
  }
  const [funded, claimedTotal] = await client.readContract({ ...contracts.rewards, functionName: 'totals' });
  check(claimedTotal === funded, `paid out ${claimedTotal} wei of ${funded} funded`);
  if (!claimTx) throw new StepFailed('nothing was claimed');
  return {
    payoutSum: claimedTotal,
    funded,
    claimTx,
    txHash: claimTx,
    detail: `paid ${parts.join(', ')} OPEN; in sum ${claimedTotal} wei of ${funded} wei funded; second claims refused`,
    look: `${context.devnet.urls.graphql} { claims { edges { node { account amount } } } }`,
  };
};

const nameOf = (context: WalkthroughContext, account: string): string => {
  const roles = ['ana', 'bo', 'chi', 'deployer', 'runner', 'distributor', 'modelBuilder', 'governance'] as const;
  return roles.find((role) => context.address(role) === account) ?? account;
};
