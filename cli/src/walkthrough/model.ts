import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  contracts,
  encodePayment,
  networkOf,
  PaymentChannel,
  payingFetch,
  paymentSchemes,
  sha256Hex,
  signVoucher,
} from '@openledger/client';
import { decodePage, jobsAbi, modelsAbi, outputIdOf, outputsOf } from '@openledger/contracts';
import { hashFile } from '@openledger/gpu-runner';
import { formatEther, hexToString, parseEther, parseEventLogs, trim } from 'viem';
import { devnetAccount } from '../devnet/network.ts';
import type { EventOf, WalkthroughContext } from './context.ts';
import { check, StepFailed, type StepOutcome } from './steps.ts';

const base = fileURLToPath(new URL('../../../gpu-runner/models/openledger-small', import.meta.url));
const samples = fileURLToPath(new URL('../../../gpu-runner/samples', import.meta.url));
const TRAINING_FEE = parseEther('10');
const DEPOSIT = parseEther('5');
/** Wei of OPEN per 1,000 tokens. */
const INPUT_PRICE = parseEther('0.1');
const OUTPUT_PRICE = parseEther('0.5');
const DURATION_SECONDS = 3_600n;
const MAX_TOKENS = 48;

export const bondRunner = async (context: WalkthroughContext): Promise<StepOutcome> => {
  const receipt = await context.send('runner', { ...contracts.staking, functionName: 'bond', value: parseEther('10') });
  await context.send('distributor', {
    ...contracts.staking,
    functionName: 'delegate',
    args: [devnetAccount('runner').address],
    value: parseEther('30'),
  });
  return { txHash: receipt.transactionHash, detail: 'the runner bonded 10 OPEN, a staker delegated 30 to it' };
};

export const registerBase = async (context: WalkthroughContext): Promise<StepOutcome & { modelId: bigint }> => {
  const weightsHash = `0x${await hashFile(`${base}/model.safetensors`)}` as const;
  const known = await context.client('deployer').public.readContract({
    ...contracts.models,
    functionName: 'modelByWeights',
    args: [weightsHash],
  });
  if (known !== 0n) return { modelId: known, detail: `openledger-small is model ${known} already` };
  const receipt = await context.send('deployer', {
    ...contracts.models,
    functionName: 'registerBaseModel',
    args: ['openledger-small', 'llama', weightsHash, 'gpu-runner/models/openledger-small', INPUT_PRICE, OUTPUT_PRICE],
  });
  const [registered] = parseEventLogs({ abi: modelsAbi, eventName: 'BaseModelRegistered', logs: receipt.logs });
  if (!registered) throw new StepFailed('no BaseModelRegistered event');
  const { modelId } = registered.args;
  return {
    modelId,
    txHash: receipt.transactionHash,
    detail: `openledger-small is model ${modelId}, weights ${weightsHash}`,
  };
};

export type Trained = StepOutcome & { modelId: bigint; name: string; lossBefore: number; lossAfter: number };

export const trainAdapter = async (
  context: WalkthroughContext,
  baseId: bigint,
  datanetId: bigint,
): Promise<Trained> => {
  const name = `microgrid-${datanetId}`;
  const params = { ...(JSON.parse(readFileSync(`${samples}/train.json`, 'utf8')) as object), name };
  const receipt = await context.send('modelBuilder', {
    ...contracts.jobs,
    functionName: 'requestTraining',
    args: [baseId, datanetId, 1, DURATION_SECONDS, JSON.stringify(params)],
    value: TRAINING_FEE,
  });
  const [requested] = parseEventLogs({ abi: jobsAbi, eventName: 'JobRequested', logs: receipt.logs });
  if (!requested) throw new StepFailed('no JobRequested event');
  const { jobId } = requested.args;
  const done = await context.waitFor(['JobCommitted', 'JobRefunded'], (event) => event.args.jobId === jobId, 900);
  if (done.type === 'JobRefunded') {
    const failure = (await context.events('JobFailed')).find((event) => event.args.jobId === jobId);
    throw new StepFailed(`the job was refunded: ${failure?.args.reason ?? 'no reason'}`);
  }
  const { modelId } = done.args;
  const evaluations = (await context.events('EvaluationRecorded')).filter((event) => event.args.modelId === modelId);
  const suite = (wanted: string) =>
    evaluations.find((event) => hexToString(trim(event.args.suite, { dir: 'right' })) === wanted)?.args;
  const domain = suite('domain');
  const general = suite('general');
  if (!domain || !general) throw new StepFailed('the evaluations on domain and general text are not both there');
  const lossBefore = Number(domain.baseLossMicros) / 1e6;
  const lossAfter = Number(domain.modelLossMicros) / 1e6;
  check(lossAfter <= lossBefore * 0.9, `the held-out domain loss fell only from ${lossBefore} to ${lossAfter}`);
  const reportUrl = `${context.devnet.urls.runner}/v1/training/jobs/${jobId}/report`;
  const report = new Uint8Array(await (await fetch(reportUrl)).arrayBuffer());
  check(sha256Hex(report) === domain.reportHash, `the report at ${reportUrl} is not the one that stands on chain`);
  const forgetting = `general ${Number(general.baseLossMicros) / 1e6} -> ${Number(general.modelLossMicros) / 1e6}`;
  return {
    modelId,
    name,
    lossBefore,
    lossAfter,
    txHash: receipt.transactionHash,
    detail: `job ${jobId} made adapter ${modelId}; held-out loss domain ${lossBefore} -> ${lossAfter}, ${forgetting}${general.regressed ? ' (regressed: told before deployment)' : ''}`,
    look: `${context.devnet.urls.graphql} { evaluations { edges { node { suite baseLossMicros modelLossMicros regressed } } } }`,
  };
};

/** A job that can't work is refused with its reason, and the fee comes back. */
export const refuseImpossibleJob = async (
  context: WalkthroughContext,
  baseId: bigint,
  datanetId: bigint,
): Promise<StepOutcome> => {
  const receipt = await context.send('modelBuilder', {
    ...contracts.jobs,
    functionName: 'requestTraining',
    args: [baseId, datanetId, 1, DURATION_SECONDS, JSON.stringify({ rank: 100_000 })],
    value: TRAINING_FEE,
  });
  const [requested] = parseEventLogs({ abi: jobsAbi, eventName: 'JobRequested', logs: receipt.logs });
  if (!requested) throw new StepFailed('no JobRequested event');
  const { jobId } = requested.args;
  const failed = await context.waitFor('JobFailed', (event) => event.args.jobId === jobId, 120);
  const refunded = await context.waitFor('JobRefunded', (event) => event.args.jobId === jobId, 30);
  check(refunded.args.amount === TRAINING_FEE, `${refunded.args.amount} wei came back instead of ${TRAINING_FEE}`);
  return {
    txHash: receipt.transactionHash,
    detail: `job ${jobId} with rank 100,000 was refused ("${failed.args.reason.slice(0, 120)}") and its fee refunded`,
  };
};

export const deployAdapter = async (context: WalkthroughContext, { modelId, name }: Trained): Promise<StepOutcome> => {
  const receipt = await context.send('modelBuilder', {
    ...contracts.models,
    functionName: 'deploy',
    args: [modelId, INPUT_PRICE, OUTPUT_PRICE],
  });
  await context.waitFor('ModelDeployed', (event) => event.args.modelId === modelId, 30);
  return {
    txHash: receipt.transactionHash,
    detail: `${name} is deployed at ${formatEther(OUTPUT_PRICE)} OPEN per 1,000 tokens`,
    look: `${context.devnet.urls.runner}/v1/models`,
  };
};

type Answer = {
  choices: { message: { content: string } }[];
  openledger: {
    output_id: `0x${string}`;
    cost_wei: string;
    attribution: { contribution_id: string; weight: number }[];
  };
  error?: unknown;
};

export type Served = StepOutcome & { channelId: bigint; outputIds: `0x${string}`[]; spent: bigint; attributed: number };

/** Opens a channel and asks by the OpenAI-compatible API; x402 asks for each call's voucher, and a receipt proves its price. */
export const askQuestions = async (context: WalkthroughContext, { name }: Trained): Promise<Served> => {
  const receipt = await context.send('deployer', {
    ...contracts.jobs,
    functionName: 'openChannel',
    args: [devnetAccount('runner').address],
    value: DEPOSIT,
  });
  const [opened] = parseEventLogs({ abi: jobsAbi, eventName: 'ChannelOpened', logs: receipt.logs });
  if (!opened) throw new StepFailed('no ChannelOpened event');
  const { channelId } = opened.args;
  const url = `${context.devnet.urls.runner}/v1/chat/completions`;
  await refuseBadCalls(context, url, name, channelId);
  const prompts = JSON.parse(readFileSync(`${samples}/prompts.json`, 'utf8')) as { prompt: string }[];
  const outputIds: `0x${string}`[] = [];
  let attributed = 0;
  let sample = '';
  const channel = new PaymentChannel({
    account: devnetAccount('deployer'),
    chainId: context.chainId,
    runner: devnetAccount('runner').address,
    channelId,
    budget: DEPOSIT,
  });
  const paying = payingFetch({ channel });
  for (const { prompt } of prompts) {
    const response = await paying(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        model: name,
        messages: [{ role: 'user', content: prompt }],
        max_tokens: MAX_TOKENS,
        temperature: 0,
      }),
    });
    const answer = (await response.json()) as Answer;
    check(response.ok, `${name} answered ${response.status}: ${JSON.stringify(answer.error ?? '')}`);
    outputIds.push(answer.openledger.output_id);
    if (answer.openledger.attribution.length > 0) attributed++;
    sample ||= `"${prompt}" -> "${answer.choices[0]?.message.content.trim().slice(0, 90)}..."`;
  }
  check(attributed > 0, 'no answer was attributed to any contribution');
  return {
    channelId,
    outputIds,
    spent: channel.state.spent,
    attributed,
    txHash: receipt.transactionHash,
    detail: `${prompts.length} answers, ${attributed} with evidence in the datanet; ${sample}`,
    look: `${context.devnet.urls.runner}/v1/outputs/${outputIds[0]}`,
  };
};

/** No payment, a voucher that somebody else signed, a model that isn't there: refused, and nothing is recorded. */
const refuseBadCalls = async (
  context: WalkthroughContext,
  url: string,
  name: string,
  channelId: bigint,
): Promise<void> => {
  const statusOf = async (model: string, headers: Record<string, string>): Promise<number> => {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ model, messages: [{ role: 'user', content: 'Who pays?' }], max_tokens: 1 }),
    });
    return response.status;
  };
  const forged = await signVoucher(devnetAccount('chi'), context.chainId, { channelId, cumulativeAmount: DEPOSIT });
  const unpaid = await statusOf(name, {});
  check(unpaid === 402, `a call without payment was answered with ${unpaid}`);
  const payment = { scheme: paymentSchemes.channel, network: networkOf(context.chainId), voucher: forged };
  const wrong = await statusOf(name, { 'x-payment': encodePayment(payment) });
  check(wrong === 402, `a voucher with a wrong signature was answered with ${wrong}`);
  const unknown = await statusOf('no-such-adapter', {});
  check(unknown === 404, `an unknown adapter was answered with ${unknown}`);
};

export const awaitSettlement = async (context: WalkthroughContext, served: Served): Promise<StepOutcome> => {
  const outputsIn = ({ args }: EventOf<'PageRecorded'>) =>
    outputsOf(decodePage(args.data)).filter((output) => served.outputIds.includes(outputIdOf(output)));
  for (const outputId of served.outputIds) {
    const carries = (event: EventOf<'PageRecorded'>) =>
      outputsIn(event).some((output) => outputIdOf(output) === outputId);
    await context.waitFor('PageRecorded', carries, 60);
  }
  const settled = await context.waitFor(
    'ChannelSettled',
    (event) => event.args.channelId === served.channelId && event.args.cumulative === served.spent,
    60,
  );
  const rows = (await context.events('PageRecorded')).flatMap(outputsIn).flatMap((output) => output.rows);
  return {
    detail: `${served.outputIds.length} outputs and ${rows.length} attributions on chain, ${formatEther(settled.args.cumulative)} OPEN settled`,
    look: `${context.devnet.urls.graphql} { outputs { edges { node { outputId attributions { edges { node { weight } } } } } } }`,
  };
};
