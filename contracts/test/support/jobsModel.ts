import { CLOSE_DELAY } from './system.ts';

/** Who acts: the two accounts with keys, and a contract that takes no refunds. */
export type Who = 0 | 1 | 2;
/** One of the two bonded runners. */
export type Runner = 0 | 1;

/** What one step does; `pick` names a job or a channel, modulo how many there are. */
export type Step =
  | { action: 'request'; who: Who; fee: bigint; duration: bigint }
  | { action: 'claim'; pick: number; runner: Runner }
  | { action: 'commit'; pick: number; runner: Runner }
  | { action: 'fail'; pick: number; runner: Runner; permanent: boolean }
  | { action: 'refund'; pick: number; who: Who }
  | { action: 'requestClose' | 'close'; pick: number; who: Who }
  | { action: 'open'; who: Who; runner: Runner; amount: bigint }
  | { action: 'topUp'; pick: number; who: Who; amount: bigint }
  | { action: 'settle'; pick: number; runner: Runner; cumulative: bigint; signedOver: bigint }
  | { action: 'ask'; who: Who; runner: Runner; amount: bigint; duration: bigint }
  | { action: 'answer'; pick: number; runner: Runner; cost: bigint }
  | { action: 'takeBack'; pick: number; by: 'runner' | 'anyone' }
  | { action: 'wait'; seconds: bigint };

interface ModelJob {
  who: Who;
  fee: bigint;
  state: 'open' | 'committed' | 'refunded';
  attempt: number;
  lease: { runner: Runner; until: bigint } | undefined;
  deadline: bigint;
}

interface ModelChannel {
  who: Who;
  runner: Runner;
  deposit: bigint;
  settled: bigint;
  closableAt: bigint;
  closed: boolean;
}

interface ModelInference {
  who: Who;
  runner: Runner;
  escrow: bigint;
  deadline: bigint;
  open: boolean;
}

/** The rules of Jobs once more, on plain objects: what each step does, and where every wei is. */
export class JobsModel {
  readonly jobs: ModelJob[] = [];
  readonly channels: ModelChannel[] = [];
  readonly inferences: ModelInference[] = [];
  settled = 0n;
  refunded = 0n;
  /** Refunds that the contract account didn't take. */
  credits = 0n;

  /** @returns whether the contract has to accept the step */
  apply(step: Step, now: bigint): boolean {
    switch (step.action) {
      case 'wait':
        return true;
      case 'request': {
        if (step.fee < 10_000n || step.duration < 300n) return false;
        const { who, fee, duration } = step;
        this.jobs.push({ who, fee, state: 'open', attempt: 0, lease: undefined, deadline: now + duration });
        return true;
      }
      case 'open':
        if (step.amount === 0n) return false;
        this.channels.push({ ...step, deposit: step.amount, settled: 0n, closableAt: 0n, closed: false });
        return true;
      case 'ask':
        if (step.amount === 0n || step.duration < 60n) return false;
        this.inferences.push({ ...step, escrow: step.amount, deadline: now + step.duration, open: true });
        return true;
      case 'answer':
      case 'takeBack': {
        const inference = this.inferences[step.pick % this.inferences.length];
        return inference?.open === true && this.applyToInference(step, inference, now);
      }
      case 'claim':
      case 'commit':
      case 'fail':
      case 'refund': {
        const job = this.jobs[step.pick % this.jobs.length];
        return job !== undefined && job.state === 'open' && this.applyToJob(step, job, now);
      }
      default: {
        const channel = this.channels[step.pick % this.channels.length];
        return channel !== undefined && !channel.closed && this.applyToChannel(step, channel, now);
      }
    }
  }

  held(): bigint {
    const inJobs = this.jobs.filter(({ state }) => state === 'open').reduce((sum, { fee }) => sum + fee, 0n);
    const inChannels = this.channels
      .filter(({ closed }) => !closed)
      .reduce((sum, { deposit, settled }) => sum + deposit - settled, 0n);
    const inInferences = this.inferences.filter(({ open }) => open).reduce((sum, { escrow }) => sum + escrow, 0n);
    return inJobs + inChannels + inInferences;
  }

  private applyToJob(step: Step, job: ModelJob, now: bigint): boolean {
    const lease = job.lease !== undefined && now < job.lease.until ? job.lease : undefined;
    if (step.action === 'claim') {
      if (lease !== undefined || job.attempt === 3) return false;
      job.attempt++;
      job.lease = { runner: step.runner, until: now + 300n };
      return true;
    }
    if (step.action === 'refund') {
      if (now < job.deadline && (step.who !== job.who || lease !== undefined)) return false;
      this.refundJob(job);
      return true;
    }
    if ((step.action !== 'commit' && step.action !== 'fail') || lease?.runner !== step.runner) return false;
    if (step.action === 'commit') {
      job.state = 'committed';
      this.settled += job.fee;
    } else {
      job.lease = undefined;
      if (step.permanent || job.attempt === 3) this.refundJob(job);
    }
    return true;
  }

  private applyToChannel(step: Step, channel: ModelChannel, now: bigint): boolean {
    if (step.action === 'settle') {
      // The contract account has no key, so nobody signs its vouchers here.
      if (step.runner !== channel.runner || channel.who === 2) return false;
      if (step.cumulative <= channel.settled || step.cumulative > channel.deposit) return false;
      if (step.signedOver < 0n) return false;
      this.settled += step.cumulative - channel.settled;
      channel.settled = step.cumulative;
      return true;
    }
    if (!('who' in step) || step.who !== channel.who) return false;
    if (step.action === 'topUp') {
      channel.deposit += step.amount;
      return step.amount > 0n;
    }
    if (step.action === 'requestClose') {
      channel.closableAt = now + CLOSE_DELAY;
      return true;
    }
    if (channel.closableAt === 0n || now < channel.closableAt) return false;
    channel.closed = true;
    this.refund(channel.who, channel.deposit - channel.settled);
    return true;
  }

  private applyToInference(step: Step, inference: ModelInference, now: bigint): boolean {
    if (step.action === 'answer') {
      if (step.runner !== inference.runner || step.cost > inference.escrow) return false;
      this.settled += step.cost;
      this.refund(inference.who, inference.escrow - step.cost);
    } else {
      if (step.action !== 'takeBack' || (now < inference.deadline && step.by !== 'runner')) return false;
      this.refund(inference.who, inference.escrow);
    }
    inference.open = false;
    return true;
  }

  private refundJob(job: ModelJob): void {
    job.state = 'refunded';
    this.refund(job.who, job.fee);
  }

  private refund(who: Who, amount: bigint): void {
    this.refunded += amount;
    if (who === 2) this.credits += amount;
  }
}
