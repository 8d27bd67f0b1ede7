export type { BatchDecodeErrorCode, BatchOutput, BatchRow } from './attributionBatch.ts';
export {
  BATCH_VERSION,
  BatchDecodeError,
  batchMethods,
  batchSourceKinds,
  decodeBatch,
  encodeBatch,
  MAX_OUTPUTS,
  MAX_ROWS,
} from './attributionBatch.ts';
export type { DatanetLeaf } from './datanetTree.ts';
export { DATANET_TREE_DEPTH, datanetLeaf, datanetProof, datanetRoot } from './datanetTree.ts';
export type { InferenceCallMessage, ReceiptMessage, UploadMessage, VoucherMessage } from './eip712.ts';
export { inferenceCallTypedData, receiptTypedData, uploadTypedData, voucherTypedData } from './eip712.ts';
export { contractErrorsAbi } from './errors.ts';
export * from './generated/AttributionLedger.ts';
export * from './generated/Datanets.ts';
export * from './generated/GasPriceOracle.ts';
export * from './generated/Jobs.ts';
export * from './generated/L1Block.ts';
export * from './generated/Models.ts';
export * from './generated/Open.ts';
export * from './generated/OperatorFeeVault.ts';
export * from './generated/Provenance.ts';
export * from './generated/Rewards.ts';
export * from './generated/Staking.ts';
