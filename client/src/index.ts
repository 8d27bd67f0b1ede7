export {
  type AttributionPlace,
  type AttributionProof,
  attributionProof,
  type Batch,
  readBatch,
} from './attributionProof.ts';
export {
  type AuditAccess,
  type AuditOpening,
  type AuditRates,
  auditAccessSigner,
  auditFindings,
  auditOpening,
  auditStatuses,
  drawOf,
  signAuditAccess,
} from './audits.ts';
export { allErrors, contracts } from './contracts.ts';
export {
  type Attribution,
  type ContributionText,
  type EvidenceRow,
  type EvidenceSpan,
  type Influence,
  type InfluencePrior,
  influenceOfReport,
  MAX_REPORT_BYTES,
  type Passage,
  priorRoot,
  type Retrieval,
  recomputeAttribution,
  recomputeRetrieval,
  textOfFile,
  weightByInfluence,
} from './evidence/index.ts';
export { type GenerationRecord, generationHash } from './generations.ts';
export { type PayingFetchOptions, payingFetch } from './payingFetch.ts';
export {
  type Authorization,
  BudgetExceededError,
  type ChannelState,
  DishonestRunnerError,
  PaymentChannel,
  type PaymentChannelOptions,
} from './paymentChannel.ts';
export {
  formatReceipt,
  inferenceCallSigner,
  parseReceipt,
  type SignedReceipt,
  signInferenceCall,
  signReceipt,
  verifyReceipt,
} from './receipts.ts';
export {
  type Call,
  ContractRefusedError,
  createOpenLedgerClient,
  type OpenLedgerClient,
  type SignedTransaction,
  sendTransaction,
  signTransaction,
} from './sendTransaction.ts';
export { controlTraining, type TrainingAction, trainingControlSigner } from './trainingControl.ts';
export { sha256Hex, type UploadAnswer, uploadFile, uploadSigner } from './uploads.ts';
export { jobsDomain, signVoucher, type Voucher, voucherSigner } from './vouchers.ts';
export { type Finality, waitForReceipt } from './waitForReceipt.ts';
export { whenRoom } from './whenRoom.ts';
export {
  decodeHeader,
  decodePayment,
  encodeHeader,
  encodePayment,
  NATIVE_ASSET,
  networkOf,
  type Payment,
  type PaymentRequired,
  type PaymentRequirements,
  paymentPayload,
  paymentSchemes,
  type SettleResponse,
  toVersion1,
} from './x402.ts';
