import type { Changes } from '../changes.ts';
import type { Occurrence, Projection } from './projection.ts';

type JobUpdate = { attempt?: number; runner?: `0x${string}`; lease_until?: bigint; reason?: string };

/** Each step of a job stands in its history, and the job shows when it last moved. */
const step = (jobId: bigint, change: string, update: JobUpdate, at: Occurrence, changes: Changes) => {
  changes.insert('job_updates', { job_id: jobId, change, ...update, ...at });
  return { updated_position: at.position, updated_at: at.timestamp };
};

/** Training jobs, inference channels and inference jobs, what both paid out, and how the fee splits. */
export const jobs: Projection = {
  name: 'jobs',
  on: {
    SplitSet: ({ version, owner, runner, contributors, stakers, platform }, at, changes) =>
      changes.insert('splits', { version, owner, runner, contributors, stakers, platform, ...at }),
    JobRequested: (args, at, changes) =>
      changes.insert('jobs', {
        job_id: args.jobId,
        requester: args.requester,
        model_id: args.modelId,
        datanet_id: args.datanetId,
        datanet_version: args.datanetVersion,
        fee: args.fee,
        deadline: args.deadline,
        params: args.params,
        ...at,
        ...step(args.jobId, 'requested', {}, at, changes),
      }),
    JobClaimed: ({ jobId, runner, attempt, leaseUntil }, at, changes) => {
      const update = { runner, attempt, lease_until: leaseUntil };
      const moved = step(jobId, 'claimed', update, at, changes);
      changes.update('jobs', { job_id: jobId }, { status: 'claimed', ...update, ...moved });
    },
    LeaseRenewed: ({ jobId, runner, attempt, leaseUntil }, at, changes) => {
      const moved = step(jobId, 'renewed', { runner, attempt, lease_until: leaseUntil }, at, changes);
      changes.update('jobs', { job_id: jobId }, { lease_until: leaseUntil, ...moved });
    },
    JobFailed: ({ jobId, runner, attempt, reason }, at, changes) => {
      const moved = step(jobId, 'failed', { runner, attempt, reason }, at, changes);
      const cells = { status: 'requested', lease_until: null, failure_reason: reason, ...moved };
      changes.update('jobs', { job_id: jobId }, cells);
    },
    JobCommitted: ({ jobId, runner, modelId, attempt, resultHash }, at, changes) => {
      const moved = step(jobId, 'committed', { runner, attempt }, at, changes);
      const result = { result_model_id: modelId, result_hash: resultHash };
      changes.update('jobs', { job_id: jobId }, { status: 'committed', lease_until: null, ...result, ...moved });
    },
    JobRefunded: ({ jobId, amount }, at, changes) => {
      const moved = step(jobId, 'refunded', {}, at, changes);
      changes.update('jobs', { job_id: jobId }, { status: 'refunded', lease_until: null, refunded: amount, ...moved });
    },
    JobSettled: ({ jobId, runner, modelId, amount, batchIndex, splitVersion }, at, changes) => {
      const moved = step(jobId, 'settled', { runner }, at, changes);
      changes.update('jobs', { job_id: jobId }, { settled: amount, ...moved });
      changes.insert('settlements', {
        kind: 'job',
        source_id: jobId,
        runner,
        model_id: modelId,
        amount,
        batch_index: batchIndex,
        split_version: splitVersion,
        ...at,
      });
      changes.upsert('runners', { runner }, {}, { settled: amount, settlement_count: 1n });
    },
    ChannelOpened: ({ channelId, payer, runner, deposit }, at, changes) =>
      changes.insert('channels', {
        channel_id: channelId,
        payer,
        runner,
        deposit,
        updated_position: at.position,
        ...at,
      }),
    ChannelToppedUp: ({ channelId, deposit }, at, changes) =>
      changes.update('channels', { channel_id: channelId }, { deposit, updated_position: at.position }),
    ChannelCloseRequested: ({ channelId, closableAt }, at, changes) =>
      changes.update('channels', { channel_id: channelId }, { closable_at: closableAt, updated_position: at.position }),
    ChannelSettled: ({ channelId, runner, payer, amount, cumulative, batchIndex, splitVersion }, at, changes) => {
      changes.update('channels', { channel_id: channelId }, { settled: cumulative, updated_position: at.position });
      changes.insert('settlements', {
        kind: 'channel',
        source_id: channelId,
        runner,
        payer,
        amount,
        cumulative,
        batch_index: batchIndex,
        split_version: splitVersion,
        ...at,
      });
      changes.upsert('runners', { runner }, {}, { settled: amount, settlement_count: 1n });
    },
    ChannelClosed: ({ channelId, refund }, at, changes) =>
      changes.update(
        'channels',
        { channel_id: channelId },
        { closed: true, refunded: refund, updated_position: at.position },
      ),
    InferenceRequested: (args, at, changes) =>
      changes.insert('inference_jobs', {
        job_id: args.jobId,
        payer: args.payer,
        runner: args.runner,
        model_id: args.modelId,
        escrow: args.escrow,
        request_hash: args.requestHash,
        max_tokens: args.maxTokens,
        deadline: args.deadline,
        updated_position: at.position,
        ...at,
      }),
    InferenceSettled: ({ jobId, runner, payer, amount, refund, batchIndex, splitVersion }, at, changes) => {
      const cells = { status: 'settled', settled: amount, refunded: refund, updated_position: at.position };
      changes.update('inference_jobs', { job_id: jobId }, cells);
      changes.insert('settlements', {
        kind: 'inference',
        source_id: jobId,
        runner,
        payer,
        amount,
        batch_index: batchIndex,
        split_version: splitVersion,
        ...at,
      });
      changes.upsert('runners', { runner }, {}, { settled: amount, settlement_count: 1n });
    },
    InferenceRefunded: ({ jobId, amount }, at, changes) =>
      changes.update(
        'inference_jobs',
        { job_id: jobId },
        { status: 'refunded', refunded: amount, updated_position: at.position },
      ),
  },
};
