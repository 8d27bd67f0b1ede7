import type { BlockId } from '@openledger/chain-config';
import { type Hex, numberToHex } from 'viem';
import { nodeError } from '../errors.ts';
import { decodeBlock, type RawBlock } from '../primitives/decodeBlock.ts';
import { hashHeader } from '../primitives/header.ts';

export type L2Heads = { readonly unsafe: BlockId; readonly safe: BlockId; readonly finalized: BlockId };

/** Another L2 node as ours asks it: by op-geth's and op-node's methods, so that it may be of any make. */
export type L2Rpc = {
  heads(): Promise<L2Heads & { readonly derivedL1: bigint }>;
  /** The block with what its hash covers; undefined when the node has none of this number. */
  blockByNumber(number: bigint): Promise<(RawBlock & { readonly hash: Hex }) | undefined>;
};

const TIMEOUT_MS = 10_000;
type Ref = { readonly hash: Hex; readonly number: number };

/** @throws L2_UNAVAILABLE, L2_BAD_DATA */
export const createL2Rpc = (url: string): L2Rpc => {
  const call = async <T>(method: string, params: readonly unknown[]): Promise<T> => {
    let answer: { result?: T; error?: { code: number; message: string } };
    try {
      const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
      const headers = { 'content-type': 'application/json' };
      const response = await fetch(url, { method: 'POST', body, headers, signal: AbortSignal.timeout(TIMEOUT_MS) });
      answer = (await response.json()) as typeof answer;
    } catch (cause) {
      throw nodeError('L2_UNAVAILABLE', 'the L2 node does not answer', { method }, cause);
    }
    if (answer.error) throw new L2RpcRefusal(answer.error.code, answer.error.message);
    return answer.result as T;
  };
  return {
    heads: async () => {
      type Status = Record<'unsafe_l2' | 'safe_l2' | 'finalized_l2' | 'current_l1', Ref>;
      const status = await call<Status>('optimism_syncStatus', []).catch(orUnavailable);
      const id = ({ hash, number }: Ref): BlockId => ({ hash, number: BigInt(number) });
      return {
        unsafe: id(status.unsafe_l2),
        safe: id(status.safe_l2),
        finalized: id(status.finalized_l2),
        derivedL1: BigInt(status.current_l1.number),
      };
    },
    blockByNumber: async (number) => {
      const raw = await call<Hex>('debug_getRawBlock', [numberToHex(number)]).catch((error) => {
        if (error instanceof L2RpcRefusal && /not found/i.test(error.message)) return undefined;
        return orUnavailable(error);
      });
      if (!raw) return undefined;
      const block = decodeBlock(raw);
      if (block.header.number !== number) throw nodeError('L2_BAD_DATA', 'the L2 node gave another block', { number });
      return { ...block, hash: hashHeader(block.header) };
    },
  };
};

/** The other node's own word. */
class L2RpcRefusal extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

const orUnavailable = (error: unknown): never => {
  if (error instanceof L2RpcRefusal)
    throw nodeError('L2_UNAVAILABLE', `the L2 node refuses: ${error.message}`, {}, error);
  throw error;
};
