import type { Methods } from '../rpc/dispatch.ts';
import type { Json } from '../rpc/format.ts';
import { required, toHexBytes } from '../rpc/params.ts';
import { RpcError, serverError } from '../rpc/rpcError.ts';

const TIMEOUT_MS = 10_000;

/** A follower makes no blocks: what it is sent goes to the sequencer, and the sequencer's answer comes back word for word. */
export const forwardTransactions = (sequencerUrl: string): Methods => ({
  eth_sendRawTransaction: async (params) => {
    const raw = toHexBytes(required(params, 0), 0);
    let answer: { result?: Json; error?: { code: number; message: string; data?: Json } };
    try {
      const response = await fetch(sequencerUrl, {
        method: 'POST',
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_sendRawTransaction', params: [raw] }),
        headers: { 'content-type': 'application/json' },
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      answer = (await response.json()) as typeof answer;
    } catch {
      throw serverError('the sequencer does not answer; nothing was sent');
    }
    if (answer.error) throw new RpcError(answer.error.code, answer.error.message, answer.error.data);
    return answer.result ?? null;
  },
});
