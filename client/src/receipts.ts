import { createHash } from 'node:crypto';
import {
  type BatchOutput,
  inferenceCallTypedData,
  outputIdOf,
  type ReceiptMessage,
  receiptTypedData,
} from '@openledger/contracts';
import { type Account, type Address, type Hex, recoverTypedDataAddress } from 'viem';
import { type GenerationRecord, generationHash } from './generations.ts';
import { isCanonical, jobsDomain } from './vouchers.ts';

/** A runner's statement about one answer. */
export type SignedReceipt = ReceiptMessage & { readonly signature: Hex };

export const signReceipt = async (account: Account, chainId: number, message: ReceiptMessage): Promise<Hex> => {
  if (!account.signTypedData) throw new TypeError('this account can not sign typed data');
  return account.signTypedData(receiptTypedData(jobsDomain(chainId), message));
};

/** JSON of a receipt, as it stands in the `openledger` object of an answer. */
export const formatReceipt = (receipt: SignedReceipt) => ({
  output_id: receipt.outputId,
  model_id: receipt.modelId.toString(),
  source_kind: receipt.sourceKind,
  source_id: receipt.sourceId.toString(),
  nonce: receipt.nonce.toString(),
  prompt_hash: receipt.promptHash,
  output_sha256: receipt.outputHash,
  cost_wei: receipt.cost.toString(),
  served_wei: receipt.served.toString(),
  signature: receipt.signature,
});

/** @throws TypeError, SyntaxError when fields are missing or malformed */
export const parseReceipt = (json: unknown): SignedReceipt => {
  const fields = (json ?? {}) as Record<string, string>;
  const hash = (name: string): Hex => {
    const value = fields[name];
    if (typeof value !== 'string' || !/^0x[0-9a-f]{64}$/.test(value)) throw new TypeError(`${name} is not a hash`);
    return value as Hex;
  };
  const whole = (name: string): bigint => {
    const value = fields[name];
    if (typeof value !== 'string' || !/^\d{1,78}$/.test(value)) throw new TypeError(`${name} is not a number`);
    return BigInt(value);
  };
  return {
    outputId: hash('output_id'),
    modelId: whole('model_id'),
    sourceKind: Number(fields.source_kind),
    sourceId: whole('source_id'),
    nonce: whole('nonce'),
    promptHash: hash('prompt_hash'),
    outputHash: hash('output_sha256'),
    cost: whole('cost_wei'),
    served: whole('served_wei'),
    signature: String(fields.signature) as Hex,
  };
};

/**
 * Whether a receipt says what it should: signed by the runner, its id made of its parts, its hashes those of text and settings. What passes
 * is evidence against the runner when its output never comes on chain, or comes with another hash or price.
 * @throws Error with the reason
 */
export const verifyReceipt = async (
  receipt: SignedReceipt,
  expected: { chainId: number; runner: Address; text?: string; generation?: GenerationRecord },
): Promise<void> => {
  if (!isCanonical(receipt.signature)) throw new Error('the receipt is not signed');
  const { signature, ...message } = receipt;
  const signer = await recoverTypedDataAddress({
    ...receiptTypedData(jobsDomain(expected.chainId), message),
    signature,
  });
  if (signer.toLowerCase() !== expected.runner.toLowerCase())
    throw new Error('the receipt is not signed by the runner');
  if (outputIdOf(receipt as Pick<BatchOutput, keyof BatchOutput & keyof ReceiptMessage>) !== receipt.outputId)
    throw new Error('the output id does not match the receipt');
  const { text, generation } = expected;
  if (text !== undefined && createHash('sha256').update(text).digest('hex') !== receipt.outputHash.slice(2)) {
    throw new Error('the receipt is of another text');
  }
  if (generation && generationHash(generation) !== receipt.promptHash) {
    throw new Error('the receipt is of another prompt, or of other settings');
  }
};

/** Signs that the answer of an inference job is wanted now; `requestHash` is sha256 of the body, as in the job. */
export const signInferenceCall = async (
  account: Account,
  chainId: number,
  message: { jobId: bigint; requestHash: Hex },
): Promise<Hex> => {
  if (!account.signTypedData) throw new TypeError('this account can not sign typed data');
  return account.signTypedData(inferenceCallTypedData(jobsDomain(chainId), message));
};

/** Who signed a call. @throws TypeError for a malformed signature */
export const inferenceCallSigner = async (
  chainId: number,
  message: { jobId: bigint; requestHash: Hex },
  signature: Hex,
): Promise<Address> => {
  if (!isCanonical(signature)) throw new TypeError('not a canonical signature');
  return recoverTypedDataAddress({ ...inferenceCallTypedData(jobsDomain(chainId), message), signature });
};
