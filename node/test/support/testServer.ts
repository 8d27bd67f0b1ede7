import { openLedgerChain } from '@openledger/chain-config';
import { silentLogger } from '@openledger/kit';
import { type Chain, createPublicClient, createWalletClient, http, type PublicClient } from 'viem';
import type { PrivateKeyAccount } from 'viem/accounts';
import { ChainReader } from '../../src/rpc/chainReader.ts';
import { startRpcServer } from '../../src/rpc/server.ts';
import { TestChain, type TestChainOptions } from './testChain.ts';

export type TestServer = {
  readonly chain: TestChain;
  readonly url: string;
  readonly viemChain: Chain;
  readonly client: PublicClient;
  /** Reasons that /readyz gives. */
  readonly reasons: string[];
  wallet(account: PrivateKeyAccount): ReturnType<typeof createWalletClient>;
  /** One JSON-RPC request, the whole answer. */
  rpc(method: string, params?: unknown): Promise<RpcAnswer>;
  post(body: string, headers?: Record<string, string>): Promise<Response>;
  close(): Promise<void>;
};

export type RpcAnswer = { id: unknown; result?: unknown; error?: { code: number; message: string; data?: string } };

export const ALLOWED_ORIGIN = 'https://explorer.example';

/** The real RPC server on a free port, over a chain whose blocks the test makes. */
export const startTestServer = async (options: TestChainOptions = {}): Promise<TestServer> => {
  const chain = await TestChain.start(options);
  const abort = new AbortController();
  const reasons: string[] = [];
  const server = await startRpcServer({
    chain: new ChainReader(chain.engine, chain.mempool, chain.pending),
    status: { l1: chain.l1 },
    host: '127.0.0.1',
    port: 0,
    corsOrigins: [ALLOWED_ORIGIN],
    readiness: async () => reasons,
    log: options.log ?? silentLogger,
    metrics: chain.metrics,
    signal: abort.signal,
  });
  const { l2ChainId: id, l1ChainId } = chain.engine.config;
  const viemChain = openLedgerChain({ id, name: 'test', rpcUrl: server.url, l1ChainId });
  const transport = http(server.url, { retryCount: 0 });
  const post = (body: string, headers: Record<string, string> = {}) =>
    fetch(server.url, { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } });
  return {
    chain,
    url: server.url,
    viemChain,
    client: createPublicClient({ chain: viemChain, transport, pollingInterval: 20 }) as PublicClient,
    reasons,
    wallet: (account) => createWalletClient({ chain: viemChain, transport, account }),
    rpc: async (method, params = []) =>
      (await (await post(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }))).json()) as RpcAnswer,
    post,
    close: async () => {
      abort.abort();
      await server.close();
    },
  };
};
