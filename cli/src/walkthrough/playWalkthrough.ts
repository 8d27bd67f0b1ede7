import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomic } from '../chainFile.ts';
import type { Devnet } from '../devnet/startDevnet.ts';
import { bridgeOpen } from './bridge.ts';
import { WalkthroughContext } from './context.ts';
import { awaitReview, createDatanet, publishVersion, refuseBadFiles, submitFiles } from './data.ts';
import {
  askQuestions,
  awaitSettlement,
  bondRunner,
  deployAdapter,
  refuseImpossibleJob,
  registerBase,
  type Served,
  type Trained,
  trainAdapter,
} from './model.ts';
import { type Claimed, claimAll, finalizeEpoch, type Proposed, proposeEpoch } from './rewards.ts';
import { type StepOutcome, type StepResult, StepRunner } from './steps.ts';
import { verifyFromL1 } from './verifier.ts';
import { compareViews } from './views.ts';
import { beginWithdrawal, endWithdrawal, type Withdrawal } from './withdraw.ts';

export type WalkthroughReport = {
  readonly ok: boolean;
  readonly steps: readonly StepResult[];
  readonly blocks: number;
  readonly events: number;
  readonly domainLossBefore: number | null;
  readonly domainLossAfter: number | null;
  readonly payoutSumWei: string | null;
  readonly fundedWei: string | null;
  readonly claimTx: string | null;
};

/** The whole story on real input, from OPEN on L1 to a claim that pays; once per data directory. */
export const playWalkthrough = async (devnet: Devnet, say: (line: string) => void): Promise<WalkthroughReport> => {
  const file = join(devnet.dataDir, 'walkthrough.json');
  const context = new WalkthroughContext(devnet);
  if (existsSync(file)) {
    const before = JSON.parse(readFileSync(file, 'utf8')) as WalkthroughReport;
    say('The walkthrough was played here before; the network goes on where it was.');
    const runner = new StepRunner(say);
    const ok = await runner.run('views agree with the chain', () => compareViews(context));
    return { ...before, ...(await totals(context)), ok: before.ok && ok, steps: [...before.steps, ...runner.results] };
  }
  const steps = new StepRunner(say);
  const facts = await story(context, steps);
  const ok = steps.results.every((step) => step.ok) && facts.claimed !== undefined;
  const report: WalkthroughReport = {
    ok,
    steps: steps.results,
    ...(await totals(context)),
    domainLossBefore: facts.trained?.lossBefore ?? null,
    domainLossAfter: facts.trained?.lossAfter ?? null,
    payoutSumWei: facts.claimed?.payoutSum.toString() ?? null,
    fundedWei: facts.claimed?.funded.toString() ?? null,
    claimTx: facts.claimed?.claimTx ?? null,
  };
  if (ok) writeFileAtomic(file, JSON.stringify(report));
  return report;
};

type Facts = { trained?: Trained; claimed?: Claimed };

/** Each step needs what the ones before it made; the first that doesn't hold ends the story. */
const story = async (context: WalkthroughContext, steps: StepRunner): Promise<Facts> => {
  const facts: Facts = {};
  const step = async <T extends StepOutcome>(name: string, work: () => Promise<T>): Promise<T> => {
    let outcome: T | undefined;
    const held = await steps.run(name, async () => {
      outcome = await work();
      return outcome;
    });
    if (!held || !outcome) throw new StoryEnded();
    return outcome;
  };
  try {
    await step('bridge OPEN from L1', () => bridgeOpen(context));
    const withdrawal = await step<Withdrawal>('begin to withdraw OPEN', () => beginWithdrawal(context));
    await step('bond the runner', () => bondRunner(context));
    const base = await step('register the base model', () => registerBase(context));
    const { datanetId } = await step('create a text datanet', () => createDatanet(context));
    await step('start the runner', async () => {
      await context.devnet.runnerReady;
      return { detail: `engine and gateway answer at ${context.devnet.urls.runner}/v1` };
    });
    await step('refuse bad files', () => refuseBadFiles(context, datanetId));
    const { ids } = await step('submit files', () => submitFiles(context, datanetId));
    await step('review', () => awaitReview(context, ids));
    await step('publish a version', () => publishVersion(context, datanetId));
    await step('refuse an impossible job', () => refuseImpossibleJob(context, base.modelId, datanetId));
    const trained = await step<Trained>('train an adapter', () => trainAdapter(context, base.modelId, datanetId));
    facts.trained = trained;
    await step('deploy the adapter', () => deployAdapter(context, trained));
    const served = await step<Served>('answer by the OpenAI-compatible API', () => askQuestions(context, trained));
    await step('settle outputs and attributions', () => awaitSettlement(context, served));
    const proposed = await step<Proposed>('propose an epoch', () => proposeEpoch(context));
    await step('finalize the epoch', () => finalizeEpoch(context, proposed));
    facts.claimed = await step<Claimed>('claim', () => claimAll(context, proposed));
    await step('views agree with the chain', () => compareViews(context));
    await step('OPEN is back on L1', () => endWithdrawal(context, withdrawal));
    await step('a verifier agrees, from L1 alone', () => verifyFromL1(context));
  } catch (error) {
    if (!(error instanceof StoryEnded)) throw error;
  }
  return facts;
};

class StoryEnded extends Error {}

const totals = async (context: WalkthroughContext): Promise<{ blocks: number; events: number }> => {
  let blocks = 0;
  let events = 0;
  for await (const entry of context.reader.read(0)) {
    if (entry.kind !== 'block') continue;
    blocks++;
    events += entry.events.length;
  }
  return { blocks, events };
};
