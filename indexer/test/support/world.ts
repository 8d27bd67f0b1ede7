import { type BatchOutput, decodePage, encodePages, outputIdOf, outputsOf } from '@openledger/contracts';
import type { EventArgs, EventType } from '@openledger/event-log';
import type { Random } from './random.ts';

type Hex = `0x${string}`;
export type DomainEvent = { [T in EventType]: { type: T; args: EventArgs<T> } }[EventType];

const addressOf = (kind: number, index: number): Hex => `0x${(kind * 1000 + index).toString(16).padStart(40, '0')}`;
export const contributors = Array.from({ length: 6 }, (_, index) => addressOf(1, index));
export const owners = Array.from({ length: 3 }, (_, index) => addressOf(2, index));
export const runners = Array.from({ length: 3 }, (_, index) => addressOf(3, index));
export const auditors = Array.from({ length: 5 }, (_, index) => addressOf(5, index));
export const NATIVE: Hex = addressOf(4, 0);

type Contribution = { id: bigint; datanetId: bigint; contributor: Hex; status: 'pending' | 'accepted' | 'rejected' };
type Job = {
  id: bigint;
  requester: Hex;
  modelId: bigint;
  datanetId: bigint;
  fee: bigint;
  status: string;
  attempt: number;
  runner: Hex;
};

/** What the contracts would know: enough to make only sequences of events that they could emit. */
export type World = {
  datanets: { id: bigint; owner: Hex; modality: number; accepted: number; versions: number }[];
  contributions: Contribution[];
  models: { id: bigint; owner: Hex; evaluated: boolean; deployed: boolean }[];
  jobs: Job[];
  channels: { id: bigint; payer: Hex; runner: Hex; deposit: bigint; settled: bigint; closed: boolean }[];
  inferenceJobs: { id: bigint; payer: Hex; runner: Hex; modelId: bigint; escrow: bigint; open: boolean }[];
  batches: number;
  outputs: Hex[];
  epoch: { number: bigint; status: string; root: Hex; total: bigint };
  fundings: number;
  funded: bigint;
  splits: number;
  bonds: Map<Hex, bigint>;
  audits: { outputId: Hex; runner: Hex; auditor: Hex; jurors: Hex[]; votes: number[]; status: string }[];
};

export const genesisWorld = (): World => ({
  datanets: [],
  contributions: [],
  models: [],
  jobs: [],
  channels: [],
  inferenceJobs: [],
  batches: 0,
  outputs: [],
  epoch: { number: 0n, status: 'none', root: `0x${'00'.repeat(32)}`, total: 0n },
  fundings: 0,
  funded: 0n,
  splits: 0,
  bonds: new Map(),
  audits: [],
});

const wei = (random: Random): bigint => BigInt(random.hex(9));
const suite = (name: string): Hex => `0x${Buffer.from(name).toString('hex').padEnd(64, '0')}`;

type Action = (world: World, random: Random, timestamp: bigint) => DomainEvent[] | undefined;

const createDatanet: Action = (world, random) => {
  const id = BigInt(world.datanets.length + 1);
  const owner = random.pick(owners);
  const modality = random.below(3);
  world.datanets.push({ id, owner, modality, accepted: 0, versions: 0 });
  const text = random.pick(['Bird songs', 'Olive oil law', 'nul\0byte', 'half \ud800 pair', '数据网']);
  return [{ type: 'DatanetCreated', args: { datanetId: id, owner, modality, name: text, description: `${text}.` } }];
};

const setReviewer: Action = (world, random) => {
  if (world.datanets.length === 0) return undefined;
  const datanetId = random.pick(world.datanets).id;
  return [{ type: 'ReviewerSet', args: { datanetId, reviewer: random.pick(owners), allowed: random.chance(70) } }];
};

const submit: Action = (world, random) => {
  if (world.datanets.length === 0) return undefined;
  const datanet = random.pick(world.datanets);
  const id = BigInt(world.contributions.length + 1);
  const contributor = random.pick(contributors);
  world.contributions.push({ id, datanetId: datanet.id, contributor, status: 'pending' });
  const format = ([0, 4, 10][datanet.modality] ?? 0) + random.below(3);
  const args = { contributionId: id, datanetId: datanet.id, contributor, contentHash: random.hex(32), format };
  return [
    { type: 'ContributionSubmitted', args: { ...args, size: 1 + random.below(2 ** 31), fileName: `file-${id}` } },
  ];
};

const decide: Action = (world, random) => {
  const pending = world.contributions.filter(({ status }) => status === 'pending');
  if (pending.length === 0) return undefined;
  const given = random.pick(pending);
  const datanet = world.datanets.find(({ id }) => id === given.datanetId);
  if (!datanet) return undefined;
  const reviewer = random.pick(owners);
  const { id: contributionId, datanetId, contributor } = given;
  if (random.chance(40)) {
    given.status = 'rejected';
    return [
      { type: 'ContributionRejected', args: { contributionId, datanetId, contributor, reviewer, reason: 'duplicate' } },
    ];
  }
  given.status = 'accepted';
  const leafIndex = datanet.accepted++;
  const score = 1 + random.below(10_000);
  const args = {
    contributionId,
    datanetId,
    contributor,
    reviewer,
    score,
    leafIndex,
    leaf: random.hex(32),
    duplicateOf: 0n,
  };
  return [{ type: 'ContributionAccepted', args }];
};

const publish: Action = (world, random) => {
  const ready = world.datanets.filter(({ accepted }) => accepted > 0);
  if (ready.length === 0) return undefined;
  const datanet = random.pick(ready);
  const args = { datanetId: datanet.id, version: ++datanet.versions, dataRoot: random.hex(32) };
  return [{ type: 'DatanetVersionPublished', args: { ...args, contributionCount: datanet.accepted } }];
};

const registerBase: Action = (world, random) => {
  const modelId = BigInt(world.models.length + 1);
  const owner = random.pick(owners);
  world.models.push({ id: modelId, owner, evaluated: true, deployed: true });
  const names = { name: `base-${modelId}`, architecture: 'gpt2', uri: 'ipfs://weights' };
  return [
    { type: 'BaseModelRegistered', args: { modelId, owner, weightsHash: random.hex(32), ...names } },
    { type: 'ModelDeployed', args: { modelId, owner, inputPrice: 1n, outputPrice: wei(random) } },
  ];
};

const evaluation = (modelId: bigint, name: string, random: Random): DomainEvent => ({
  type: 'EvaluationRecorded',
  args: {
    modelId,
    suite: suite(name),
    evaluator: random.pick(runners),
    baseLossMicros: BigInt(random.below(9_000_000)),
    modelLossMicros: BigInt(random.below(9_000_000)),
    tokens: random.below(100_000),
    regressed: random.chance(20),
    reportHash: random.hex(32),
  },
});

const changeModel: Action = (world, random) => {
  const model = world.models.length === 0 ? undefined : random.pick(world.models);
  if (!model) return undefined;
  const { id: modelId, owner } = model;
  if (random.chance(40)) return [evaluation(modelId, random.pick(['domain', 'general']), random)];
  if (random.chance(30)) {
    const to = random.pick(owners);
    model.owner = to;
    return [{ type: 'ModelOwnershipTransferred', args: { modelId, from: owner, to } }];
  }
  model.deployed = !model.deployed;
  return model.deployed
    ? [{ type: 'ModelDeployed', args: { modelId, owner, inputPrice: wei(random), outputPrice: wei(random) } }]
    : [{ type: 'ModelRetired', args: { modelId, owner } }];
};

const batch = (
  world: World,
  random: Random,
  runner: Hex,
  source: { kind: number; id: bigint; modelId: bigint },
): DomainEvent[] => {
  const batchIndex = BigInt(world.batches++);
  const outputs = Array.from({ length: 1 + random.below(3) }, () => output(world, random, source));
  const pages = encodePages(outputs, { targetBytes: random.pick([1, 4_096]) });
  const events: DomainEvent[] = [
    {
      type: 'BatchAppended',
      args: {
        batchIndex,
        runner,
        pageCount: pages.length,
        pagesRoot: random.hex(32),
        settlementsHash: random.hex(32),
        head: random.hex(32),
      },
    },
  ];
  for (const [page, data] of pages.entries()) {
    if (random.chance(10)) events.push({ type: 'PageRejected', args: { batchIndex, page, reason: 'TRUNCATED' } });
    else {
      events.push({ type: 'PageRecorded', args: { batchIndex, page, data } });
      world.outputs.push(...outputsOf(decodePage(data)).map((output) => outputIdOf(output)));
    }
  }
  return events;
};

const output = (
  world: World,
  random: Random,
  { kind, id, modelId }: { kind: number; id: bigint; modelId: bigint },
): BatchOutput => {
  const named = Array.from({ length: random.below(4) }, () => BigInt(1 + random.below(world.contributions.length + 2)));
  // Nobody checks a page's rows on chain: one in a while names what doesn't exist, or weighs all there is.
  if (random.chance(5)) named.push(2n ** 53n - 1n);
  return {
    modelId,
    sourceKind: kind as BatchOutput['sourceKind'],
    sourceId: id,
    method: kind,
    nonce: BigInt(random.below(1_000_000)),
    promptHash: random.hex(32),
    outputHash: random.hex(32),
    promptTokens: random.below(500),
    outputTokens: random.below(500),
    feeWeight: wei(random),
    rows: [...new Set(named)]
      .sort((a, b) => (a < b ? -1 : 1))
      .map((contributionId) => ({
        contributionId,
        weight: random.chance(5) ? 2n ** 53n - 1n : BigInt(1 + random.below(1_000_000)),
      })),
  };
};

const requestJob: Action = (world, random, timestamp) => {
  const trained = world.datanets.filter(({ versions }) => versions > 0);
  if (trained.length === 0 || world.models.length === 0) return undefined;
  const datanet = random.pick(trained);
  const id = BigInt(world.jobs.length + 1);
  const requester = random.pick(owners);
  const job: Job = {
    id,
    requester,
    modelId: random.pick(world.models).id,
    datanetId: datanet.id,
    fee: wei(random),
    status: 'requested',
    attempt: 0,
    runner: random.pick(runners),
  };
  world.jobs.push(job);
  const { modelId, datanetId, fee } = job;
  const deadline = timestamp + 3600n;
  const args = { jobId: id, requester, modelId, datanetId, datanetVersion: datanet.versions, fee, deadline };
  return [{ type: 'JobRequested', args: { ...args, params: '{"method":"lora","epochs":1}' } }];
};

const moveJob: Action = (world, random, timestamp) => {
  const open = world.jobs.filter(({ status }) => status === 'requested' || status === 'claimed');
  if (open.length === 0) return undefined;
  const job = random.pick(open);
  const { id: jobId, requester, fee } = job;
  if (job.status === 'requested') {
    if (random.chance(15)) {
      job.status = 'refunded';
      return [{ type: 'JobRefunded', args: { jobId, requester, amount: fee } }];
    }
    job.status = 'claimed';
    job.runner = random.pick(runners);
    const args = { jobId, runner: job.runner, attempt: ++job.attempt, leaseUntil: timestamp + 600n };
    return [{ type: 'JobClaimed', args }];
  }
  const { runner, attempt } = job;
  if (random.chance(20))
    return [{ type: 'LeaseRenewed', args: { jobId, runner, attempt, leaseUntil: timestamp + 900n } }];
  if (random.chance(25)) {
    job.status = 'requested';
    return [{ type: 'JobFailed', args: { jobId, runner, attempt, reason: 'out of memory' } }];
  }
  job.status = 'committed';
  const modelId = BigInt(world.models.length + 1);
  world.models.push({ id: modelId, owner: requester, evaluated: true, deployed: false });
  const hashes = { weightsHash: random.hex(32), configHash: random.hex(32) };
  const lineage = { parentId: job.modelId, jobId, datanetId: job.datanetId, datanetVersion: 1 };
  const batchIndex = BigInt(world.batches);
  return [
    {
      type: 'AdapterRegistered',
      args: { modelId, ...lineage, owner: requester, ...hashes, name: `adapter-${modelId}` },
    },
    evaluation(modelId, 'domain', random),
    evaluation(modelId, 'general', random),
    { type: 'JobCommitted', args: { jobId, runner, modelId, attempt, resultHash: hashes.weightsHash } },
    ...batch(world, random, runner, { kind: 1, id: jobId, modelId: job.modelId }),
    { type: 'JobSettled', args: { jobId, runner, modelId: job.modelId, amount: fee, batchIndex, splitVersion: 1 } },
  ];
};

const openChannel: Action = (world, random) => {
  const id = BigInt(world.channels.length + 1);
  const channel = { id, payer: random.pick(owners), runner: random.pick(runners), deposit: wei(random), settled: 0n };
  world.channels.push({ ...channel, closed: false });
  const { payer, runner, deposit } = channel;
  return [{ type: 'ChannelOpened', args: { channelId: id, payer, runner, deposit } }];
};

const moveChannel: Action = (world, random, timestamp) => {
  const open = world.channels.filter(({ closed }) => !closed);
  if (open.length === 0 || world.models.length === 0) return undefined;
  const channel = random.pick(open);
  const { id: channelId, payer, runner } = channel;
  if (random.chance(15)) {
    channel.deposit += 1n;
    return [{ type: 'ChannelToppedUp', args: { channelId, amount: 1n, deposit: channel.deposit } }];
  }
  if (random.chance(15)) {
    channel.closed = true;
    return [
      { type: 'ChannelCloseRequested', args: { channelId, closableAt: timestamp + 60n } },
      { type: 'ChannelClosed', args: { channelId, payer, refund: channel.deposit - channel.settled } },
    ];
  }
  const amount = (channel.deposit - channel.settled) / 2n;
  channel.settled += amount;
  const batchIndex = BigInt(world.batches);
  return [
    ...batch(world, random, runner, { kind: 2, id: channelId, modelId: random.pick(world.models).id }),
    {
      type: 'ChannelSettled',
      args: { channelId, runner, payer, amount, cumulative: channel.settled, batchIndex, splitVersion: 1 },
    },
  ];
};

const requestInference: Action = (world, random, timestamp) => {
  if (world.models.length === 0) return undefined;
  const id = BigInt(world.inferenceJobs.length + 1);
  const { id: modelId } = random.pick(world.models);
  const job = {
    id,
    payer: random.pick(owners),
    runner: random.pick(runners),
    modelId,
    escrow: wei(random),
    open: true,
  };
  world.inferenceJobs.push(job);
  const { payer, runner, escrow } = job;
  const args = { jobId: id, payer, runner, modelId, escrow, requestHash: random.hex(32), maxTokens: 64 };
  return [{ type: 'InferenceRequested', args: { ...args, deadline: timestamp + 600n } }];
};

const endInference: Action = (world, random) => {
  const job = world.inferenceJobs.find(({ open }) => open);
  if (!job) return undefined;
  job.open = false;
  const { id: jobId, payer, runner, escrow, modelId } = job;
  if (random.chance(30)) return [{ type: 'InferenceRefunded', args: { jobId, payer, amount: escrow } }];
  const amount = escrow / 3n;
  const args = { jobId, runner, payer, amount, refund: escrow - amount, batchIndex: BigInt(world.batches) };
  return [
    ...batch(world, random, runner, { kind: 3, id: jobId, modelId }),
    { type: 'InferenceSettled', args: { ...args, splitVersion: 1 } },
  ];
};

const moveRewards: Action = (world, random, timestamp) => {
  const { epoch } = world;
  if (random.chance(30)) {
    const amount = wei(random);
    world.funded += amount;
    const args = {
      fundingId: BigInt(++world.fundings),
      source: random.pick(owners),
      amount,
      totalFunded: world.funded,
    };
    return [{ type: 'Funded', args }];
  }
  if (epoch.status === 'proposed') {
    const { number, root, total } = epoch;
    if (random.chance(40)) {
      epoch.status = 'rejected';
      return [{ type: 'RootRejected', args: { epoch: number, challenger: random.pick(runners), reason: 'receipt' } }];
    }
    epoch.status = 'final';
    return [{ type: 'RootFinalized', args: { epoch: number, root, total } }];
  }
  if (epoch.status === 'final' && random.chance(60)) {
    const account = random.pick(contributors);
    const amount = BigInt(1 + random.below(1000));
    return [{ type: 'Claimed', args: { account, recipient: account, token: NATIVE, amount, cumulative: amount } }];
  }
  const prevRoot = epoch.root;
  world.epoch = { number: epoch.number + 1n, status: 'proposed', root: random.hex(32), total: epoch.total + 1n };
  const { number, root, total } = world.epoch;
  const trace = { traceRoot: random.hex(32), treeRoot: random.hex(32), records: 7n, accounts: 2n };
  const figures = { ...trace, dataHash: random.hex(32), toBlock: 1n, total, disputableUntil: timestamp + 60n };
  return [{ type: 'RootProposed', args: { epoch: number, proposer: random.pick(owners), root, prevRoot, ...figures } }];
};

const setRecipient: Action = (_world, random) => [
  { type: 'RecipientSet', args: { account: random.pick(contributors), recipient: random.pick(owners) } },
];

const stake: Action = (world, random, timestamp) => {
  const runner = random.pick(runners);
  const bond = (world.bonds.get(runner) ?? 0n) + 10n;
  world.bonds.set(runner, bond);
  const staker = random.pick(owners);
  return random.pick<DomainEvent[]>([
    [{ type: 'BondChanged', args: { runner, bond } }],
    [{ type: 'StakeChanged', args: { staker, runner, stake: bond, runnerTotal: bond * 2n } }],
    [{ type: 'UnbondRequested', args: { account: staker, runner, amount: 1n, withdrawableAt: timestamp + 60n } }],
    [{ type: 'Withdrawn', args: { account: staker, amount: 1n } }],
    [{ type: 'EndpointAnnounced', args: { runner, endpoint: random.pick(['', `http://${runner}`]) } }],
    [
      { type: 'BondChanged', args: { runner, bond: bond - 1n } },
      { type: 'Slashed', args: { runner, amount: 1n, reason: 'wrong result' } },
    ],
  ]);
};

const setSplit: Action = (world) => {
  const version = ++world.splits;
  return [
    { type: 'SplitSet', args: { version, owner: 3000, runner: 3000, contributors: 3000, stakers: 1000, platform: 0 } },
  ];
};

const deploy: Action = (world, random) => {
  if (world.outputs.length === 0) return undefined;
  const outputId = random.pick(world.outputs);
  const hashes = {
    promptHash: random.hex(32),
    sourceHash: random.hex(32),
    compilerHash: random.hex(32),
    codeHash: random.hex(32),
  };
  const parties = { deployed: random.hex(20), deployer: random.pick(owners), modelId: random.pick(world.models).id };
  return [{ type: 'ContractDeployed', args: { ...parties, outputId, ...hashes } }];
};

const openAudit: Action = (world, random, timestamp) => {
  const outputId = world.outputs.find((id) => world.audits.every((audit) => audit.outputId !== id));
  if (outputId === undefined) return undefined;
  const runner = random.pick(runners);
  const first = random.below(auditors.length);
  const [auditor, ...jurors] = [...auditors.slice(first), ...auditors.slice(0, first)] as [Hex, ...Hex[]];
  world.audits.push({ outputId, runner, auditor, jurors: jurors.slice(0, 3), votes: [], status: 'open' });
  const place = { modelId: random.pick(world.models).id, batchIndex: BigInt(random.below(world.batches)) };
  const args = { outputId, runner, auditor, ...place, sourceKind: 1 + random.below(3), deadline: timestamp + 600n };
  return [{ type: 'AuditOpened', args: { ...args, seed: random.hex(32) } }];
};

const FINDINGS = { matches: 1, differs: 2, unavailable: 3 };
const OUTCOMES = { matched: 3, faulted: 4, dismissed: 5, undecided: 6 };

const moveAudit: Action = (world, random, timestamp) => {
  const running = world.audits.filter(({ status }) => status !== 'closed');
  if (running.length === 0) return undefined;
  const audit = random.pick(running);
  const { outputId, runner, auditor, jurors, votes } = audit;
  const closed = (outcome: keyof typeof OUTCOMES): DomainEvent[] => {
    audit.status = 'closed';
    return [{ type: 'AuditClosed', args: { outputId, runner, outcome: OUTCOMES[outcome] } }];
  };
  const finding = FINDINGS[random.pick(['matches', 'differs', 'unavailable'] as const)];
  if (audit.status === 'open') {
    const [juror0, juror1, juror2] = jurors as [Hex, Hex, Hex];
    const silent = random.chance(20);
    const detail = random.pick(['', 'token 3 differs', 'nul\0byte']);
    const report: DomainEvent[] = silent
      ? []
      : [{ type: 'AuditReported', args: { outputId, auditor, finding, detail } }];
    if (!silent && finding === FINDINGS.matches) return [...report, ...closed('matched')];
    if (random.chance(20)) return [...report, ...closed('undecided')];
    audit.status = 'contested';
    const args = { outputId, juror0, juror1, juror2, deadline: timestamp + 600n };
    return [...report, { type: 'AuditContested', args }];
  }
  const juror = jurors[votes.length];
  if (juror === undefined || random.chance(10)) return closed('undecided');
  votes.push(finding);
  const voted: DomainEvent = { type: 'AuditVoted', args: { outputId, juror, finding, detail: '' } };
  const matches = votes.filter((vote) => vote === FINDINGS.matches).length;
  if (matches === 2) return [voted, ...closed('dismissed')];
  if (votes.length - matches < 2) return [voted];
  const slashed: DomainEvent = { type: 'Slashed', args: { runner, amount: 5n, reason: 'audit' } };
  return [voted, ...closed('faulted'), slashed];
};

const actions: readonly [weight: number, Action][] = [
  [4, createDatanet],
  [2, setReviewer],
  [18, submit],
  [16, decide],
  [4, publish],
  [4, registerBase],
  [6, changeModel],
  [6, requestJob],
  [14, moveJob],
  [4, openChannel],
  [8, moveChannel],
  [3, requestInference],
  [3, endInference],
  [6, moveRewards],
  [2, setRecipient],
  [6, stake],
  [1, setSplit],
  [3, deploy],
  [3, openAudit],
  [8, moveAudit],
];
const deck = actions.flatMap(([weight, action]) => Array.from({ length: weight }, () => action));

/** One transaction's events; changes the world accordingly. */
export const act = (world: World, random: Random, timestamp: bigint): DomainEvent[] => {
  for (;;) {
    const events = random.pick(deck)(world, random, timestamp);
    if (events) return events;
  }
};
