import type { ChainEvent, LogEntry } from '@openledger/event-log';
import { type Address, type Hex, zeroHash } from 'viem';
import { AuditsView } from './auditsView.ts';
import type { Channel, Contribution, Evaluated, InferenceJob, Job, Model } from './records.ts';

export type { Channel, Contribution, Evaluated, InferenceJob, Job, Model } from './records.ts';

/**
 * What a runner has to know of the chain, folded from the event log. Kept in memory and replayed at start: the log is the
 * truth, the view can't drift from it. A revert marker means starting over.
 */
export class RunnerView {
  readonly contributions = new Map<bigint, Contribution>();
  readonly reviewers = new Map<bigint, Set<Address>>();
  readonly datanetOwners = new Map<bigint, Address>();
  /** `${datanetId}/${version}` -> number of accepted contributions in it, in the order of their leaves. */
  readonly versions = new Map<string, number>();
  readonly models = new Map<bigint, Model>();
  readonly jobs = new Map<bigint, Job>();
  readonly channels = new Map<bigint, Channel>();
  readonly inferenceJobs = new Map<bigint, InferenceJob>();
  /** What models were found to lose, by model id. */
  readonly evaluations = new Map<bigint, Evaluated[]>();
  readonly audits = new AuditsView();
  /** By the root over their pages. */
  readonly batchRoots = new Map<Hex, bigint>();
  /** Whether the log's end was reached: until then, what isn't in here may have happened all the same. */
  ready = false;
  /** Told of a request to close a channel, once the view is live. */
  onCloseRequested: (channelId: bigint) => void = () => {};
  #accepted = new Map<bigint, Contribution[]>();

  /** Before replaying from 0, after a reorg. */
  clear(): void {
    this.ready = false;
    for (const map of [this.contributions, this.reviewers, this.datanetOwners, this.versions, this.models]) map.clear();
    for (const map of [this.jobs, this.channels, this.inferenceJobs, this.batchRoots, this.#accepted]) map.clear();
    this.evaluations.clear();
    this.audits.clear();
  }

  apply(entry: LogEntry): void {
    if (entry.kind !== 'block') return;
    for (const event of entry.events) this.#evolve(event);
    this.audits.apply(entry);
  }

  /** Contributions of a published version, first registered first: what a version means doesn't depend on review order. */
  versionFiles(datanetId: bigint, version: number): readonly Contribution[] {
    const count = this.versions.get(`${datanetId}/${version}`) ?? 0;
    const leaves = (this.#accepted.get(datanetId) ?? []).slice(0, count);
    return leaves.sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  /** Files of the same datanet that were submitted before and aren't rejected. */
  priorFiles({ id, datanetId }: Contribution): Contribution[] {
    return [...this.contributions.values()].filter(
      (other) => other.datanetId === datanetId && other.id < id && other.status !== 'rejected',
    );
  }

  isReviewer(datanetId: bigint, account: Address): boolean {
    const who = account.toLowerCase() as Address;
    return this.datanetOwners.get(datanetId) === who || (this.reviewers.get(datanetId)?.has(who) ?? false);
  }

  /** The base model under an adapter (itself for a base). */
  baseOf(modelId: bigint): Model | undefined {
    let model = this.models.get(modelId);
    while (model && model.parentId !== 0n) model = this.models.get(model.parentId);
    return model;
  }

  #evolve(event: ChainEvent): void {
    switch (event.type) {
      case 'DatanetCreated':
        this.datanetOwners.set(event.args.datanetId, event.args.owner);
        return;
      case 'ReviewerSet': {
        const reviewers = this.reviewers.get(event.args.datanetId) ?? new Set();
        if (event.args.allowed) reviewers.add(event.args.reviewer);
        else reviewers.delete(event.args.reviewer);
        this.reviewers.set(event.args.datanetId, reviewers);
        return;
      }
      case 'ContributionSubmitted': {
        const { contributionId: id, datanetId, contributor, contentHash, format, fileName } = event.args;
        const fresh = {
          id,
          datanetId,
          contributor,
          contentHash,
          format,
          fileName,
          status: 'pending',
          leafIndex: -1,
        } as const;
        this.contributions.set(id, { ...fresh });
        return;
      }
      case 'ContributionAccepted': {
        const contribution = this.contributions.get(event.args.contributionId);
        if (!contribution) return;
        contribution.status = 'accepted';
        contribution.leafIndex = event.args.leafIndex;
        const accepted = this.#accepted.get(contribution.datanetId) ?? [];
        accepted.push(contribution);
        this.#accepted.set(contribution.datanetId, accepted);
        return;
      }
      case 'ContributionRejected': {
        const contribution = this.contributions.get(event.args.contributionId);
        if (contribution) contribution.status = 'rejected';
        return;
      }
      case 'DatanetVersionPublished':
        this.versions.set(`${event.args.datanetId}/${event.args.version}`, event.args.contributionCount);
        return;
      default:
        this.#evolveModels(event);
    }
  }

  #evolveModels(event: ChainEvent): void {
    switch (event.type) {
      case 'BaseModelRegistered': {
        const { modelId: id, owner, weightsHash, name, uri } = event.args;
        const none = { parentId: 0n, datanetId: 0n, datanetVersion: 0, configHash: zeroHash, reportHash: zeroHash };
        this.models.set(id, {
          id,
          owner,
          weightsHash,
          name,
          uri,
          ...none,
          deployed: false,
          inputPrice: 0n,
          outputPrice: 0n,
        });
        return;
      }
      case 'AdapterRegistered': {
        const { modelId: id, parentId, owner, weightsHash, configHash, name, datanetId, datanetVersion } = event.args;
        const free = { deployed: false, inputPrice: 0n, outputPrice: 0n, uri: '', reportHash: zeroHash };
        this.models.set(id, { id, parentId, owner, weightsHash, configHash, name, datanetId, datanetVersion, ...free });
        return;
      }
      case 'EvaluationRecorded': {
        const { modelId, suite, baseLossMicros, modelLossMicros, reportHash } = event.args;
        this.evaluations.set(modelId, [
          ...(this.evaluations.get(modelId) ?? []),
          { suite, baseLossMicros, modelLossMicros, reportHash },
        ]);
        return;
      }
      case 'ModelDeployed': {
        const model = this.models.get(event.args.modelId);
        if (model)
          Object.assign(model, {
            deployed: true,
            inputPrice: event.args.inputPrice,
            outputPrice: event.args.outputPrice,
          });
        return;
      }
      case 'ModelRetired': {
        const model = this.models.get(event.args.modelId);
        if (model) model.deployed = false;
        return;
      }
      case 'ModelOwnershipTransferred': {
        const model = this.models.get(event.args.modelId);
        if (model) model.owner = event.args.to;
        return;
      }
      default:
        this.#evolveJobs(event);
    }
  }

  #evolveJobs(event: ChainEvent): void {
    switch (event.type) {
      case 'JobRequested': {
        const { jobId: id, requester, modelId, datanetId, datanetVersion, fee, deadline, params } = event.args;
        const request = { id, requester, modelId, datanetId, datanetVersion, fee, deadline, params };
        const open = { status: 'requested', attempt: 0, runner: undefined, leaseUntil: 0n, adapterId: 0n } as const;
        this.jobs.set(id, { ...request, ...open });
        return;
      }
      case 'JobClaimed':
      case 'LeaseRenewed': {
        const { jobId, runner, attempt, leaseUntil } = event.args;
        const job = this.jobs.get(jobId);
        if (job) Object.assign(job, { status: 'claimed', runner, attempt, leaseUntil });
        return;
      }
      case 'JobFailed': {
        const job = this.jobs.get(event.args.jobId);
        if (job) Object.assign(job, { status: 'requested', runner: undefined, leaseUntil: 0n });
        return;
      }
      case 'JobCommitted': {
        const job = this.jobs.get(event.args.jobId);
        if (job) Object.assign(job, { status: 'committed', adapterId: event.args.modelId });
        // Evaluations until here are the commit's own: it emits them first. Later ones may be of anybody.
        const model = this.models.get(event.args.modelId);
        if (model) model.reportHash = this.evaluations.get(model.id)?.[0]?.reportHash ?? zeroHash;
        return;
      }
      case 'JobRefunded': {
        const job = this.jobs.get(event.args.jobId);
        if (job) job.status = 'refunded';
        return;
      }
      default:
        this.#evolveChannels(event);
    }
  }

  #evolveChannels(event: ChainEvent): void {
    switch (event.type) {
      case 'ChannelOpened': {
        const { channelId: id, payer, runner, deposit } = event.args;
        this.channels.set(id, { id, payer, runner, deposit, settled: 0n, closing: false, closed: false });
        return;
      }
      case 'ChannelToppedUp': {
        const channel = this.channels.get(event.args.channelId);
        if (channel) channel.deposit = event.args.deposit;
        return;
      }
      case 'ChannelCloseRequested': {
        const channel = this.channels.get(event.args.channelId);
        if (channel) channel.closing = true;
        if (this.ready) this.onCloseRequested(event.args.channelId);
        return;
      }
      case 'ChannelSettled': {
        const channel = this.channels.get(event.args.channelId);
        if (channel) channel.settled = event.args.cumulative;
        return;
      }
      case 'ChannelClosed': {
        const channel = this.channels.get(event.args.channelId);
        if (channel) channel.closed = true;
        return;
      }
      case 'InferenceRequested': {
        const { jobId: id, ...request } = event.args;
        this.inferenceJobs.set(id, { id, ...request, status: 'requested' });
        return;
      }
      case 'InferenceSettled':
      case 'InferenceRefunded': {
        const job = this.inferenceJobs.get(event.args.jobId);
        if (job) job.status = event.type === 'InferenceSettled' ? 'settled' : 'refunded';
        return;
      }
      case 'BatchAppended':
        this.batchRoots.set(event.args.pagesRoot, event.args.batchIndex);
        return;
      default:
    }
  }
}
