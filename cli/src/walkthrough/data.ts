import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ContractRefusedError, contracts, sha256Hex, uploadFile } from '@openledger/client';
import { datanetsAbi } from '@openledger/contracts';
import { parseEventLogs, type TransactionReceipt } from 'viem';
import { devnetAccount } from '../devnet/network.ts';
import type { Role, WalkthroughContext } from './context.ts';
import { check, StepFailed, type StepOutcome } from './steps.ts';

const samples = fileURLToPath(new URL('../../../gpu-runner/samples', import.meta.url));
const FORMATS: Readonly<Record<string, number>> = { md: 0, pdf: 1, docx: 2, txt: 3, png: 4 };

type Sample = { readonly role: Role; readonly path: string; readonly accepted: boolean };

/** The order matters: the copy comes after what it copies. */
const FILES: readonly Sample[] = [
  { role: 'ana', path: 'ana/daily-running.md', accepted: true },
  { role: 'ana', path: 'ana/islanding-drill.md', accepted: true },
  { role: 'bo', path: 'bo/member-meters.txt', accepted: true },
  { role: 'bo', path: 'bo/panel-care.docx', accepted: true },
  { role: 'chi', path: 'chi/battery-shed.md', accepted: true },
  { role: 'chi', path: 'chi/storm-plan.pdf', accepted: true },
  { role: 'bo', path: 'bo/photo-renamed.txt', accepted: false },
  { role: 'chi', path: 'chi/copy-of-ana.md', accepted: false },
];
const CAP = 10_000_000;

export const createDatanet = async (context: WalkthroughContext): Promise<StepOutcome & { datanetId: bigint }> => {
  const receipt = await context.send('modelBuilder', {
    ...contracts.datanets,
    functionName: 'createDatanet',
    args: ['Micro-grid handbook', 0, 'How a solar micro-grid co-operative is run, day by day and in a storm'],
  });
  const [created] = parseEventLogs({ abi: datanetsAbi, eventName: 'DatanetCreated', logs: receipt.logs });
  if (!created) throw new StepFailed('no DatanetCreated event');
  const { datanetId } = created.args;
  await context.send('modelBuilder', {
    ...contracts.datanets,
    functionName: 'setReviewer',
    args: [datanetId, devnetAccount('runner').address, true],
  });
  return {
    datanetId,
    txHash: receipt.transactionHash,
    detail: `text datanet ${datanetId}, reviewed by the runner`,
    look: `${context.devnet.urls.graphql} { datanets { edges { node { name modality } } } }`,
  };
};

/** Three people give files: uploaded to the runner's store, then submitted on chain. */
export const submitFiles = async (
  context: WalkthroughContext,
  datanetId: bigint,
): Promise<StepOutcome & { ids: Map<bigint, Sample> }> => {
  const ids = new Map<bigint, Sample>();
  let last: TransactionReceipt | undefined;
  for (const sample of FILES) {
    const bytes = readFileSync(`${samples}/${sample.path}`);
    await upload(context, sample.role, bytes);
    last = await submit(context, sample.role, datanetId, sample.path, sha256Hex(bytes), bytes.length);
    const [submitted] = parseEventLogs({ abi: datanetsAbi, eventName: 'ContributionSubmitted', logs: last.logs });
    if (!submitted) throw new StepFailed('no ContributionSubmitted event');
    ids.set(submitted.args.contributionId, sample);
  }
  return {
    ids,
    detail: `${FILES.length} files from ana, bo and chi uploaded and submitted`,
    ...(last ? { txHash: last.transactionHash } : {}),
  };
};

/** What must be refused changes nothing: a wrong type, a file over the cap, an empty file. */
export const refuseBadFiles = async (context: WalkthroughContext, datanetId: bigint): Promise<StepOutcome> => {
  const before = await context.client('bo').public.readContract({
    ...contracts.datanets,
    functionName: 'remainingToday',
    args: [devnetAccount('bo').address],
  });
  const picture = sha256Hex(Buffer.from('a picture'));
  await expectRefusal('WrongModality', () => submit(context, 'bo', datanetId, 'bo/roof.png', picture, 1_000));
  await expectRefusal('ContributorByteCap', () => submit(context, 'bo', datanetId, 'bo/too-big.txt', picture, CAP + 1));
  await expectRefusal('EmptyFile', () => submit(context, 'bo', datanetId, 'bo/empty.txt', picture, 0));
  const tooBig = await upload(context, 'bo', Buffer.alloc(CAP + 1, 'x')).then(
    () => undefined,
    (error: Error) => error.message,
  );
  check(tooBig !== undefined, 'the store took a file over the cap');
  const after = await context.client('bo').public.readContract({
    ...contracts.datanets,
    functionName: 'remainingToday',
    args: [devnetAccount('bo').address],
  });
  check(before[0] === after[0] && before[1] === after[1], 'a refused file was counted');
  return {
    detail: 'a .png in a text datanet, a file over 10 MB and an empty one were refused by name; nothing changed',
  };
};

export const awaitReview = async (
  context: WalkthroughContext,
  ids: ReadonlyMap<bigint, Sample>,
): Promise<StepOutcome> => {
  const reasons: string[] = [];
  let accepted = 0;
  for (const [id, sample] of ids) {
    const verdict = await context.waitFor(
      ['ContributionAccepted', 'ContributionRejected'],
      (event) => event.args.contributionId === id,
      180,
    );
    const ok = verdict.type === 'ContributionAccepted';
    const why = verdict.type === 'ContributionRejected' ? `: ${verdict.args.reason}` : '';
    check(ok === sample.accepted, `${sample.path} was ${ok ? 'accepted' : 'rejected'}${why}`);
    if (ok) accepted++;
    else reasons.push(`${basename(sample.path)}${why}`);
  }
  return {
    detail: `${accepted} files accepted with a score; rejected ${reasons.join(' | ')}`,
    look: `${context.devnet.urls.graphql} { contributions { edges { node { fileName status score reason } } } }`,
  };
};

export const publishVersion = async (context: WalkthroughContext, datanetId: bigint): Promise<StepOutcome> => {
  const receipt = await context.send('modelBuilder', {
    ...contracts.datanets,
    functionName: 'publishVersion',
    args: [datanetId],
  });
  const [published] = parseEventLogs({ abi: datanetsAbi, eventName: 'DatanetVersionPublished', logs: receipt.logs });
  if (!published) throw new StepFailed('no DatanetVersionPublished event');
  const { version, dataRoot, contributionCount } = published.args;
  return {
    txHash: receipt.transactionHash,
    detail: `version ${version} of ${contributionCount} files, data root ${dataRoot}`,
  };
};

const upload = (context: WalkthroughContext, role: Role, bytes: Uint8Array) =>
  uploadFile({ url: context.devnet.urls.runner, account: devnetAccount(role), chainId: context.chainId, bytes });

const submit = (context: WalkthroughContext, role: Role, datanetId: bigint, path: string, hash: string, size: number) =>
  context.send(role, {
    ...contracts.datanets,
    functionName: 'submit',
    args: [datanetId, hash, FORMATS[path.split('.').at(-1) ?? ''], size, basename(path)],
  });

const expectRefusal = async (errorName: string, action: () => Promise<unknown>): Promise<void> => {
  const error = await action().then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  const name = error instanceof ContractRefusedError ? error.errorName : String(error);
  check(name === errorName, `expected the refusal ${errorName}, got ${name}`);
};
