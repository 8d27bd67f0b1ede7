import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Hex, hexToBigInt, toHex } from 'viem';
import type { Header } from '../../../node/src/primitives/header.ts';
import { startAnvilProcess } from './anvilProcess.ts';
import type { GenesisFile } from './genesisFile.ts';

/** A block as anvil made it. */
export type PeerBlock = { readonly hash: Hex; readonly header: Header; readonly transactions: readonly Hex[] };

export type AnvilPeer = {
  /** Hands transactions over: when this returns anvil has decoded them and recovered their senders. */
  send(transactions: readonly Hex[]): Promise<void>;
  /** Makes a block of what was sent, in `ms` milliseconds. */
  mine(): Promise<PeerBlock & { readonly ms: number }>;
  stop(): Promise<void>;
};

type Answer = { readonly result?: unknown; readonly error?: { readonly message: string } };
type RpcBlock = { readonly [field in keyof Header]: Hex } & Pick<PeerBlock, 'hash' | 'transactions'>;

const SEND_AT_ONCE = 100;
/** Seconds; our engine, as any since the merge, wants each block to be later than its parent. */
const BLOCK_TIME = 2;

/** Starts anvil on a genesis file, without mining by itself and without accounts of its own. */
export const startAnvilPeer = async (genesis: GenesisFile, folder: string): Promise<AnvilPeer> => {
  const file = join(folder, 'genesis.json');
  writeFileSync(file, JSON.stringify(genesis));
  const { url, stop } = await startAnvilProcess(['--init', file, '--gas-limit', String(BigInt(genesis.gasLimit))]);
  const post = async (body: unknown): Promise<Answer[]> => {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
    const answers = [(await response.json()) as Answer | Answer[]].flat();
    for (const { error } of answers) if (error) throw new Error(`anvil: ${error.message}`);
    return answers;
  };
  const request = (method: string, params: readonly unknown[]) => ({ jsonrpc: '2.0', id: 1, method, params });
  const call = async (method: string, ...params: unknown[]) => (await post(request(method, params)))[0]?.result;
  await call('anvil_setBlockTimestampInterval', BLOCK_TIME);
  return {
    send: async (transactions) => {
      for (let at = 0; at < transactions.length; at += SEND_AT_ONCE) {
        const some = transactions.slice(at, at + SEND_AT_ONCE);
        await post(some.map((raw) => request('eth_sendRawTransaction', [raw])));
      }
    },
    mine: async () => {
      const started = performance.now();
      await call('evm_mine');
      const ms = performance.now() - started;
      return { ms, ...toPeerBlock((await call('eth_getBlockByNumber', 'latest', false)) as RpcBlock) };
    },
    stop,
  };
};

const toPeerBlock = (block: RpcBlock): PeerBlock => ({
  hash: block.hash,
  transactions: block.transactions,
  header: {
    ...block,
    difficulty: hexToBigInt(block.difficulty),
    number: hexToBigInt(block.number),
    gasLimit: hexToBigInt(block.gasLimit),
    gasUsed: hexToBigInt(block.gasUsed),
    timestamp: hexToBigInt(block.timestamp),
    baseFeePerGas: hexToBigInt(block.baseFeePerGas ?? toHex(0)),
    blobGasUsed: hexToBigInt(block.blobGasUsed ?? toHex(0)),
    excessBlobGas: hexToBigInt(block.excessBlobGas ?? toHex(0)),
  },
});
