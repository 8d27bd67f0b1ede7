import {
  contracts,
  encodeHeader,
  NATIVE_ASSET,
  networkOf,
  type PaymentRequired,
  type PaymentRequirements,
  paymentSchemes,
  type SettleResponse,
  toVersion1,
} from '@openledger/client';
import type { OpenLedgerError } from '@openledger/kit';
import type { Address } from 'viem';
import type { Completion } from './inference.ts';

/** A payer has so long to repeat its request with a payment; prices change only by a transaction of the model's owner. */
const MAX_TIMEOUT_SECONDS = 300;

/** Who is paid, on which chain. */
export type Payee = { readonly chainId: number; readonly runner: Address };

/** The 402 answer of x402: version 2 in the PAYMENT-REQUIRED header, version 1 in the body. */
export const paymentRequired = (error: OpenLedgerError, payee: Payee, url: string) => {
  const message: PaymentRequired = {
    x402Version: 2,
    error: error.message,
    resource: { url, description: 'An answer of a model, with its attribution', mimeType: 'application/json' },
    accepts: accepts(error, payee),
  };
  return { header: encodeHeader(message), body: { ...toVersion1(message), code: error.code.toLowerCase() } };
};

const accepts = (error: OpenLedgerError, { chainId, runner }: Payee): PaymentRequirements[] => {
  const { jobs } = contracts;
  const { maxCost, needed, channelId, served, cumulative, signature } = error.meta;
  const terms = {
    network: networkOf(chainId),
    amount: String(maxCost ?? needed ?? 0),
    asset: NATIVE_ASSET,
    payTo: runner,
    maxTimeoutSeconds: MAX_TIMEOUT_SECONDS,
  };
  const domain = { name: 'OpenLedger Jobs', version: '1', chainId, verifyingContract: jobs.address };
  // What the payer forgot or never knew; the signature is its own, so that it need not take our word.
  const known = channelId !== undefined && {
    channel: {
      channelId: String(channelId),
      served: String(served),
      cumulativeAmount: String(cumulative),
      needed: String(needed),
      signature: signature ?? null,
    },
  };
  return [
    {
      ...terms,
      scheme: paymentSchemes.channel,
      extra: {
        jobs: jobs.address,
        domain,
        sign: 'Voucher(uint256 channelId,uint256 cumulativeAmount)',
        open: { function: 'openChannel(address runner) payable', args: [runner] },
        ...known,
      },
    },
    {
      ...terms,
      scheme: paymentSchemes.escrow,
      extra: {
        jobs: jobs.address,
        domain,
        sign: 'InferenceCall(uint256 jobId,bytes32 requestHash)',
        requestHash: 'sha256 of the body',
        open: {
          function:
            'requestInference(uint256 modelId,address runner,bytes32 requestHash,uint32 maxTokens,uint64 duration) payable',
        },
      },
    },
  ];
};

/** What became of the payment: the PAYMENT-RESPONSE header. Value moves on chain later, so there is no transaction yet. */
export const paymentResponse = ({ record, payer }: Completion, { chainId }: Payee): string => {
  const response: SettleResponse = {
    success: true,
    transaction: '',
    network: networkOf(chainId),
    payer,
    amount: record.cost,
    extra: { outputId: record.outputId },
  };
  return encodeHeader(response);
};
