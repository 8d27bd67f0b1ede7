export {
  type AuditRates,
  auditFindings,
  auditStatuses,
  drawOf,
  headerRlp,
  type RpcHeader,
} from './audits.ts';
export type { DatanetLeaf } from './datanetTree.ts';
export { DATANET_TREE_DEPTH, datanetLeaf, datanetProof, datanetRoot } from './datanetTree.ts';
export type {
  AuditAccessMessage,
  InferenceCallMessage,
  ReceiptMessage,
  TrainingControlMessage,
  UploadMessage,
  VoucherMessage,
} from './eip712.ts';
export {
  auditAccessTypedData,
  inferenceCallTypedData,
  receiptTypedData,
  trainingControlTypedData,
  uploadTypedData,
  voucherTypedData,
} from './eip712.ts';
export { contractErrorsAbi } from './errors.ts';
export * from './generated/AttributionLedger.ts';
export * from './generated/Audits.ts';
export * from './generated/Datanets.ts';
export * from './generated/GasPriceOracle.ts';
export * from './generated/Jobs.ts';
export * from './generated/L1Block.ts';
export * from './generated/Models.ts';
export * from './generated/Open.ts';
export * from './generated/OperatorFeeVault.ts';
export * from './generated/Provenance.ts';
export * from './generated/RewardDisputes.ts';
export * from './generated/RewardRecompute.ts';
export * from './generated/Rewards.ts';
export * from './generated/Staking.ts';
export {
  type BatchOutput,
  type BatchRow,
  outputAt,
  outputHeadAt,
  outputIdAt,
  outputIdOf,
  outputsOf,
} from './page/batchOutput.ts';
export { decodePage } from './page/decodePage.ts';
export { type EncodeOptions, encodePages } from './page/encodePages.ts';
export { PageDecodeError, PageEncodeError, type PageErrorCode } from './page/errors.ts';
export {
  type AttributionPage,
  batchMethods,
  batchSourceKinds,
} from './page/page.ts';
export { pagesOfCall } from './page/pagesOfCall.ts';
export {
  type BatchHeader,
  batchHead,
  type Keccak256,
  pageProof,
  pagesRoot,
  type Settlement,
  settlementsHash,
} from './page/pagesTree.ts';
export { sharesOf } from './page/shares.ts';
