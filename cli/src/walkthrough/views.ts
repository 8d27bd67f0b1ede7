import { contracts } from '@openledger/client';
import { decodePage } from '@openledger/contracts';
import { sleep } from '@openledger/kit';
import type { WalkthroughContext } from './context.ts';
import { check, StepFailed, type StepOutcome } from './steps.ts';

type Views = {
  meta: { headSeq: number; headBlock: number; headHash: string; logHash: string } | null;
  contributors: {
    nodes: {
      address: string;
      rank: number | null;
      accepted: number;
      rejected: number;
      acceptanceRate: number | null;
    }[];
  };
  claims: { nodes: { amount: string }[] };
  outputs: { totalCount: number | null };
  models: { nodes: { name: string; deployed: boolean }[] };
};

const QUERY = `{
  meta { headSeq headBlock headHash logHash }
  contributors(first: 10) { nodes { address rank accepted rejected acceptanceRate } }
  claims(first: 100) { nodes { amount } }
  outputs(first: 1) { totalCount }
  models(first: 10) { nodes { name deployed } }
}`;

/** Waits for the indexer to have everything so far, then compares GraphQL with the chain and the log, hash for hash. */
export const compareViews = async (context: WalkthroughContext): Promise<StepOutcome> => {
  const head = await context.reader.head();
  check(head !== undefined, 'the event log is empty');
  const views = await viewsAt(context, head.nextSeq);
  const meta = views.meta;
  check(meta !== null, 'the views are empty');
  const { public: client } = context.client('deployer');
  const block = await client.getBlock({ blockNumber: BigInt(meta.headBlock) });
  check(
    block.hash === meta.headHash,
    `block ${meta.headBlock} is ${block.hash} on chain and ${meta.headHash} in the views`,
  );
  for await (const entry of context.reader.read(meta.headSeq - 1, { limit: 1 })) {
    check(
      entry.kind === 'block' && entry.logHash === meta.logHash,
      'the log hash of the views differs from the node’s',
    );
  }
  const [, claimed] = await client.readContract({ ...contracts.rewards, functionName: 'totals' });
  const shown = views.claims.nodes.reduce((sum, { amount }) => sum + BigInt(amount), 0n);
  check(shown === claimed, `claims show ${shown} wei, the contract has paid ${claimed}`);
  const pages = await context.events('PageRecorded');
  const outputs = pages.reduce((sum, { args }) => sum + decodePage(args.data).size, 0);
  check(views.outputs.totalCount === outputs, `outputs show ${views.outputs.totalCount}, the log has ${outputs}`);
  const ranks = views.contributors.nodes
    .map(
      ({ address, rank, accepted, rejected }) =>
        `#${rank} ${address.slice(0, 8)} (${accepted} accepted, ${rejected} rejected)`,
    )
    .join(', ');
  return {
    detail: `block ${meta.headBlock} and log hash ${meta.logHash} equal; ${ranks}`,
    look: context.devnet.urls.graphql,
  };
};

const viewsAt = async (context: WalkthroughContext, seq: number): Promise<Views> => {
  const deadline = Date.now() + 60_000;
  while (Date.now() < deadline) {
    const views = await context.graphql<Views>(QUERY);
    if ((views.meta?.headSeq ?? 0) >= seq) return views;
    await sleep(250);
  }
  throw new StepFailed(`the views did not reach log position ${seq} within 60 s`);
};
