import { nodeError } from '../errors.ts';
import type { L2Rpc } from '../follower/l2Rpc.ts';
import { DEPOSIT_TYPE, decodeDeposit } from '../primitives/depositTransaction.ts';
import { parseL1Attributes } from '../primitives/l1Attributes.ts';
import type { BatchableBlock, BatchSource } from './batchSource.ts';

const isDeposit = (raw: string): boolean => Number.parseInt(raw.slice(2, 4), 16) === DEPOSIT_TYPE;

/** A node in another process, read over JSON-RPC. @throws L2_UNAVAILABLE, L2_BAD_DATA */
export const rpcBatchSource = (node: L2Rpc): BatchSource => ({
  heads: () => node.heads(),
  derivedL1: async () => (await node.heads()).derivedL1,
  blockByNumber: async (number): Promise<BatchableBlock | undefined> => {
    const block = await node.blockByNumber(number);
    if (!block) return undefined;
    const [attributes] = block.transactions;
    if (!attributes || !isDeposit(attributes))
      throw nodeError('L2_BAD_DATA', 'a block without L1 attributes', { number });
    const { origin, sequenceNumber } = parseL1Attributes(decodeDeposit(attributes));
    return {
      hash: block.hash,
      number,
      parentHash: block.header.parentHash,
      timestamp: block.header.timestamp,
      epoch: origin,
      sequenceNumber,
      transactions: block.transactions.filter((raw) => !isDeposit(raw)),
    };
  },
});
