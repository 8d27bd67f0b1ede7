export {
  type AttributionPlace,
  type AttributionProof,
  attributionProof,
  type Batch,
  readBatch,
} from './attributionProof.ts';
export { allErrors, contracts } from './contracts.ts';
export {
  type Call,
  ContractRefusedError,
  createOpenLedgerClient,
  type OpenLedgerClient,
  sendTransaction,
} from './sendTransaction.ts';
export { sha256Hex, type UploadAnswer, uploadFile, uploadSigner } from './uploads.ts';
export { decodePayment, encodePayment, signVoucher, type Voucher, voucherSigner } from './vouchers.ts';
export { type Finality, waitForReceipt } from './waitForReceipt.ts';
export { whenRoom } from './whenRoom.ts';
