import type { Hex } from 'viem';
import { type Authorization, DishonestRunnerError, type PaymentChannel } from './paymentChannel.ts';
import { parseReceipt, type SignedReceipt } from './receipts.ts';
import { watchStream } from './watchStream.ts';
import { decodeHeader, encodePayment, networkOf, type PaymentRequired, paymentSchemes } from './x402.ts';

export type PayingFetchOptions = {
  channel: PaymentChannel;
  fetch?: typeof fetch;
  /** Gets every verified receipt; keep them for as long as you may want to prove what was served. */
  onReceipt?: (receipt: SignedReceipt) => void;
};

/**
 * A payment is repeated when the runner knows of calls that this client forgot, or doesn't know yet of a channel that was just
 * opened or topped up; more often it would be haggling.
 */
const MAX_TRIES = 3;
const RETRY_MS = 500;

/**
 * A fetch that pays: on 402 it signs the channel's next voucher for at most what the runner asks and repeats the request.
 * Hand it to any OpenAI client as its `fetch`. It throws BudgetExceededError rather than paying more than the channel's
 * budget, and DishonestRunnerError when a receipt doesn't match. An Authorization header is left out: the voucher replaces it.
 */
export const payingFetch = (options: PayingFetchOptions): typeof fetch => {
  const { channel } = options;
  const send = options.fetch ?? fetch;
  return async (input, init) => {
    const original = new Request(input, init);
    original.headers.delete('authorization');
    let response = await send(original.clone());
    for (let attempt = 0; attempt < MAX_TRIES && response.status === 402; attempt++) {
      const requirements = channelRequirements(response, channel);
      if (!requirements) return response;
      await response.body?.cancel();
      const known = channelClaim(requirements.extra);
      if (known) await channel.resume(known);
      const authorization = await channel.authorize(BigInt(requirements.amount));
      const request = original.clone();
      const { voucher } = authorization;
      const payment = { scheme: paymentSchemes.channel, network: requirements.network, voucher };
      request.headers.set('payment-signature', encodePayment(payment, requirements));
      try {
        response = await send(request);
      } catch (error) {
        authorization.lose();
        throw error;
      }
      if (response.ok) return settled(response, authorization, options);
      await authorization.settle();
      if (response.status === 402) await new Promise((resolve) => setTimeout(resolve, RETRY_MS * (attempt + 1)));
    }
    return response;
  };
};

/** The entry of the 402 that this channel can pay. */
const channelRequirements = (response: Response, { options }: PaymentChannel) => {
  const header = response.headers.get('payment-required');
  if (!header) return undefined;
  const { accepts } = decodeHeader(header) as unknown as PaymentRequired;
  return accepts.find(
    ({ scheme, network, payTo }) =>
      scheme === paymentSchemes.channel &&
      network === networkOf(options.chainId) &&
      payTo.toLowerCase() === options.runner.toLowerCase(),
  );
};

/** What the runner says about the channel when a voucher was too low. */
const channelClaim = (extra: Readonly<Record<string, unknown>> | null | undefined) => {
  const claim = extra?.channel as Record<string, string> | undefined;
  if (!claim) return undefined;
  const { served = '0', cumulativeAmount = '0', signature } = claim;
  return { served: BigInt(served), cumulativeAmount: BigInt(cumulativeAmount), signature: signature as Hex };
};

const settled = async (
  response: Response,
  authorization: Authorization,
  { onReceipt }: PayingFetchOptions,
): Promise<Response> => {
  const take = async (answer: unknown, text: string) => {
    const receipt = readReceipt(answer, authorization);
    await authorization.settle(receipt, text);
    onReceipt?.(receipt);
  };
  if (response.headers.get('content-type')?.startsWith('text/event-stream')) {
    return watchStream(response, { onEnd: take, onBreak: () => authorization.lose() });
  }
  const body = await response.text().catch((error) => {
    authorization.lose();
    throw error;
  });
  const { openledger, choices } = parseAnswer(body);
  await take(openledger, choices?.[0]?.message?.content ?? choices?.[0]?.text ?? '');
  return new Response(body, response);
};

type Answer = {
  readonly openledger?: unknown;
  readonly choices?: readonly { readonly message?: { readonly content?: string }; readonly text?: string }[];
};

/** What isn't JSON has no receipt either. */
const parseAnswer = (body: string): Answer => {
  try {
    return (JSON.parse(body) ?? {}) as Answer;
  } catch {
    return {};
  }
};

const readReceipt = (answer: unknown, authorization: Authorization): SignedReceipt => {
  try {
    return parseReceipt(answer);
  } catch (cause) {
    authorization.lose();
    throw new DishonestRunnerError('the runner took a voucher and gave no receipt', { cause });
  }
};
