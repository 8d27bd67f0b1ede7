import type {
  AttributionsRow,
  AuditsRow,
  BatchesRow,
  BlocksRow,
  ChannelsRow,
  ClaimsRow,
  ContributionsRow,
  ContributorsRow,
  DatanetsRow,
  DatanetVersionsRow,
  DeploymentsRow,
  EvaluationsRow,
  EventsRow,
  InferenceJobsRow,
  JobsRow,
  ModelsRow,
  OutputsRow,
  RewardEpochsRow,
  RunnersRow,
  SettlementsRow,
  TransactionsRow,
} from '@openledger/indexer/views';
import { builder, connectionOf } from './builder.ts';

/** Types that refer to each other: named here, described in the file of their domain. Each is the row of its view. */
export const Block = builder.objectRef<BlocksRow>('Block');
export const Transaction = builder.objectRef<TransactionsRow>('Transaction');
export const Event = builder.objectRef<EventsRow>('Event');
export const Datanet = builder.objectRef<DatanetsRow>('Datanet');
export const DatanetVersion = builder.objectRef<DatanetVersionsRow>('DatanetVersion');
export const Contribution = builder.objectRef<ContributionsRow>('Contribution');
export const Contributor = builder.objectRef<ContributorsRow>('Contributor');
export const Model = builder.objectRef<ModelsRow>('Model');
export const Evaluation = builder.objectRef<EvaluationsRow>('Evaluation');
export const Job = builder.objectRef<JobsRow>('Job');
export const Channel = builder.objectRef<ChannelsRow>('Channel');
export const InferenceJob = builder.objectRef<InferenceJobsRow>('InferenceJob');
export const Settlement = builder.objectRef<SettlementsRow>('Settlement');
export const Batch = builder.objectRef<BatchesRow>('Batch');
export const Output = builder.objectRef<OutputsRow>('Output');
export const Attribution = builder.objectRef<AttributionsRow>('Attribution');
export const RewardEpoch = builder.objectRef<RewardEpochsRow>('RewardEpoch');
export const Claim = builder.objectRef<ClaimsRow>('Claim');
export const Runner = builder.objectRef<RunnersRow>('Runner');
export const Deployment = builder.objectRef<DeploymentsRow>('Deployment');
export const Audit = builder.objectRef<AuditsRow>('Audit');

export const BlockConnection = connectionOf(Block);
export const TransactionConnection = connectionOf(Transaction);
export const EventConnection = connectionOf(Event);
export const DatanetConnection = connectionOf(Datanet);
export const DatanetVersionConnection = connectionOf(DatanetVersion);
export const ContributionConnection = connectionOf(Contribution);
export const ContributorConnection = connectionOf(Contributor);
export const ModelConnection = connectionOf(Model);
export const EvaluationConnection = connectionOf(Evaluation);
export const JobConnection = connectionOf(Job);
export const ChannelConnection = connectionOf(Channel);
export const InferenceJobConnection = connectionOf(InferenceJob);
export const SettlementConnection = connectionOf(Settlement);
export const BatchConnection = connectionOf(Batch);
export const OutputConnection = connectionOf(Output);
export const AttributionConnection = connectionOf(Attribution);
export const RewardEpochConnection = connectionOf(RewardEpoch);
export const ClaimConnection = connectionOf(Claim);
export const RunnerConnection = connectionOf(Runner);
export const DeploymentConnection = connectionOf(Deployment);
export const AuditConnection = connectionOf(Audit);
