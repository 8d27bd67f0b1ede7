import type { RollupConfig } from '@openledger/chain-config';
import { nodeError } from '../errors.ts';
import type { L2Rpc } from '../follower/l2Rpc.ts';
import type { RawBlock } from '../primitives/decodeBlock.ts';
import { DEPOSIT_TYPE, decodeDeposit } from '../primitives/depositTransaction.ts';
import { parseL1Attributes } from '../primitives/l1Attributes.ts';
import type { BatchableBlock, BatchSource } from './batchSource.ts';

const isDeposit = (raw: string): boolean => Number.parseInt(raw.slice(2, 4), 16) === DEPOSIT_TYPE;

/** A node in another process, read over JSON-RPC. @throws L2_UNAVAILABLE, L2_BAD_DATA */
export const rpcBatchSource = (node: L2Rpc, config: RollupConfig): BatchSource => ({
  heads: () => node.heads(),
  derivedL1: async () => (await node.heads()).derivedL1,
  blockByNumber: async (number): Promise<BatchableBlock | undefined> => {
    const block = await node.blockByNumber(number);
    if (!block) return undefined;
    const { origin, sequenceNumber } = originOf(block, config);
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

const originOf = ({ header, transactions }: RawBlock, { genesis }: RollupConfig) => {
  if (header.number === genesis.l2.number) return { origin: genesis.l1, sequenceNumber: 0n };
  const [attributes] = transactions;
  if (attributes && isDeposit(attributes)) return parseL1Attributes(decodeDeposit(attributes));
  throw nodeError('L2_BAD_DATA', 'a block without L1 attributes', { number: header.number });
};
