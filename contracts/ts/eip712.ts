import type { Address, Hex, TypedDataDefinition } from 'viem';

export interface VoucherMessage {
  channelId: bigint;
  /** Wei of OPEN that the channel owes in all; never falls from one voucher to the next. */
  cumulativeAmount: bigint;
}

export type TrainingControlMessage = {
  readonly runner: Address;
  readonly jobId: bigint;
  readonly action: string;
  /** Random; a runner takes a message once. */
  readonly nonce: bigint;
  /** Unix seconds. */
  readonly deadline: bigint;
};

export interface UploadMessage {
  /** sha256 of the file. */
  contentHash: Hex;
  size: bigint;
  nonce: bigint;
  /** Unix seconds after which the signature is worth nothing. */
  deadline: bigint;
}

/** What a runner states about one answer. With it the payer can show what was served to it, whatever is settled later. */
export interface ReceiptMessage {
  outputId: Hex;
  modelId: bigint;
  /** 2 channel, 3 inference job. */
  sourceKind: number;
  sourceId: bigint;
  nonce: bigint;
  /** sha256 of the prompt as the model got it, and of the answer's text. */
  promptHash: Hex;
  outputHash: Hex;
  /** Wei of this answer, and of everything that was served on the source up to it. */
  cost: bigint;
  served: bigint;
}

/** The payer of an inference job asks for its answer. */
export interface InferenceCallMessage {
  jobId: bigint;
  /** sha256 of the request's body, as in the job. */
  requestHash: Hex;
}

/** An auditor or juror asks the audited runner for what an output was made from. */
export interface AuditAccessMessage {
  outputId: Hex;
  /** Unix seconds. */
  deadline: bigint;
}

const receiptTypes = {
  Receipt: [
    { name: 'outputId', type: 'bytes32' },
    { name: 'modelId', type: 'uint256' },
    { name: 'sourceKind', type: 'uint8' },
    { name: 'sourceId', type: 'uint256' },
    { name: 'nonce', type: 'uint256' },
    { name: 'promptHash', type: 'bytes32' },
    { name: 'outputHash', type: 'bytes32' },
    { name: 'cost', type: 'uint256' },
    { name: 'served', type: 'uint256' },
  ],
} as const;

const inferenceCallTypes = {
  InferenceCall: [
    { name: 'jobId', type: 'uint256' },
    { name: 'requestHash', type: 'bytes32' },
  ],
} as const;

const voucherTypes = {
  Voucher: [
    { name: 'channelId', type: 'uint256' },
    { name: 'cumulativeAmount', type: 'uint256' },
  ],
} as const;

const uploadTypes = {
  Upload: [
    { name: 'contentHash', type: 'bytes32' },
    { name: 'size', type: 'uint64' },
    { name: 'nonce', type: 'uint256' },
    { name: 'deadline', type: 'uint64' },
  ],
} as const;

const trainingControlTypes = {
  TrainingControl: [
    { name: 'runner', type: 'address' },
    { name: 'jobId', type: 'uint256' },
    { name: 'action', type: 'string' },
    { name: 'nonce', type: 'uint256' },
    { name: 'deadline', type: 'uint64' },
  ],
} as const;

const auditAccessTypes = {
  AuditAccess: [
    { name: 'outputId', type: 'bytes32' },
    { name: 'deadline', type: 'uint64' },
  ],
} as const;

type JobsDomain = { chainId: number; jobs: Address };
const jobsDomain = ({ chainId, jobs }: JobsDomain) =>
  ({ name: 'OpenLedger Jobs', version: '1', chainId, verifyingContract: jobs }) as const;

/** What a channel's payer signs; Jobs checks it on chain (`voucherDigest` returns the same hash). */
export function voucherTypedData(
  domain: JobsDomain,
  message: VoucherMessage,
): TypedDataDefinition<typeof voucherTypes, 'Voucher'> {
  return { domain: jobsDomain(domain), types: voucherTypes, primaryType: 'Voucher', message };
}

/** What a runner signs with each answer; evidence, so no contract has to check it. */
export function receiptTypedData(
  domain: JobsDomain,
  message: ReceiptMessage,
): TypedDataDefinition<typeof receiptTypes, 'Receipt'> {
  return { domain: jobsDomain(domain), types: receiptTypes, primaryType: 'Receipt', message };
}

/** What an inference job's payer signs; the runner checks it, so that nobody else spends the escrow. */
export function inferenceCallTypedData(
  domain: JobsDomain,
  message: InferenceCallMessage,
): TypedDataDefinition<typeof inferenceCallTypes, 'InferenceCall'> {
  return { domain: jobsDomain(domain), types: inferenceCallTypes, primaryType: 'InferenceCall', message };
}

/** What the requester of a training signs to pause, resume or cancel it on the runner that holds it. */
export function trainingControlTypedData(
  domain: JobsDomain,
  message: TrainingControlMessage,
): TypedDataDefinition<typeof trainingControlTypes, 'TrainingControl'> {
  return { domain: jobsDomain(domain), types: trainingControlTypes, primaryType: 'TrainingControl', message };
}

/** What the auditor or a juror of an output signs to see what it was made from; the audited runner checks it. */
export function auditAccessTypedData(
  domain: JobsDomain,
  message: AuditAccessMessage,
): TypedDataDefinition<typeof auditAccessTypes, 'AuditAccess'> {
  return { domain: jobsDomain(domain), types: auditAccessTypes, primaryType: 'AuditAccess', message };
}

/** What a contributor signs to upload a file. No contract checks it, hence no verifyingContract in the domain. */
export function uploadTypedData(
  { chainId }: { chainId: number },
  message: UploadMessage,
): TypedDataDefinition<typeof uploadTypes, 'Upload'> {
  return {
    domain: { name: 'OpenLedger Files', version: '1', chainId },
    types: uploadTypes,
    primaryType: 'Upload',
    message,
  };
}
