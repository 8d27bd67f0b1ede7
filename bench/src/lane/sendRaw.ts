import type { Hex } from 'viem';

type Answer = { readonly result?: unknown; readonly error?: { readonly code: number; readonly message: string } };

/** A JSON-RPC call without a client library, which would cost the machine more than the node does. @throws Error of the node */
export const rpc = async <T>(url: string, method: string, params: readonly unknown[]): Promise<T> => {
  const [answer] = await post(url, { jsonrpc: '2.0', id: 1, method, params });
  if (!answer || answer.error) throw new Error(`${method}: ${answer?.error?.message ?? 'no answer'}`);
  return answer.result as T;
};

/** Many transactions in JSON-RPC batches; returns when the node has acknowledged all of them. */
export const sendMany = async (url: string, transactions: readonly Hex[], atOnce = 100): Promise<void> => {
  for (let at = 0; at < transactions.length; at += atOnce) {
    const some = transactions.slice(at, at + atOnce);
    const answers = await post(
      url,
      some.map((raw, id) => ({ jsonrpc: '2.0', id, method: 'eth_sendRawTransaction', params: [raw] })),
    );
    for (const { error } of answers) if (error) throw new Error(`eth_sendRawTransaction: ${error.message}`);
  }
};

/** A request for each transaction, as clients do that have one attribution to tell, so many at the same time. */
export const sendEach = async (url: string, transactions: readonly Hex[], atOnce = 32): Promise<void> => {
  const rest = [...transactions].reverse();
  const send = async () => {
    for (let raw = rest.pop(); raw; raw = rest.pop()) await rpc(url, 'eth_sendRawTransaction', [raw]);
  };
  await Promise.all(Array.from({ length: atOnce }, send));
};

const post = async (url: string, body: unknown): Promise<Answer[]> => {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  return [(await response.json()) as Answer | Answer[]].flat();
};
