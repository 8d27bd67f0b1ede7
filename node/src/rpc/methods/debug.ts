import type { Block } from '../../primitives/block.ts';
import { encodeBlock } from '../../primitives/encodeBlock.ts';
import { encodeHeader } from '../../primitives/header.ts';
import { encodeReceipt } from '../../primitives/receipt.ts';
import type { ChainReader } from '../chainReader.ts';
import type { Methods } from '../dispatch.ts';
import { required, toBlockSelector, toHash } from '../params.ts';

/** Raw consensus encodings. */
export const debugMethods = (chain: ChainReader): Methods => {
  const block = (params: readonly unknown[]): Promise<Block> =>
    chain.requireBlock(toBlockSelector(required(params, 0), 0));
  return {
    debug_getRawHeader: async (params) => encodeHeader((await block(params)).header),
    debug_getRawBlock: async (params) => encodeBlock(await block(params)),
    debug_getRawReceipts: async (params) => (await block(params)).receipts.map(encodeReceipt),
    debug_getRawTransaction: async (params) => {
      const placed = await chain.engine.chain.transaction(toHash(params, 0));
      return placed?.block.transactions[placed.index]?.raw ?? null;
    },
  };
};
