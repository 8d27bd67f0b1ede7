import { isOpenLedgerError } from '@openledger/kit';
import type { Hex } from 'viem';
import { nodeError } from '../errors.ts';
import type { SealedBlock } from '../execution/blockExecution.ts';
import type { BlockAttributes } from '../execution/chainRules.ts';
import type { Block } from '../primitives/block.ts';
import type { Receipt } from '../primitives/receipt.ts';
import type { L2Transaction } from '../primitives/transaction.ts';
import type { DerivedAttributes } from './attributesQueue.ts';

/** What derivation needs of the engine to execute a block; `Engine` is one. */
export type ExecutionEngine = {
  readonly rules: {
    decodeTransaction(raw: Hex, block: { readonly number: bigint; readonly timestamp: bigint }): L2Transaction;
  };
  begin(parentHash: Hex, attributes: BlockAttributes): Promise<BlockInProgress>;
};

type BlockInProgress = { apply(transaction: L2Transaction): Promise<Receipt>; seal(): Promise<SealedBlock> };

/** Whether an existing block is what these attributes make (derivation.md, "L1-consolidation: payload attributes matching"). */
export const matchesAttributes = (block: Block, attributes: DerivedAttributes): boolean => {
  const { header, transactions } = block;
  const { parent, deposits, block: wanted } = attributes;
  const raws = [...deposits.map(({ raw }) => raw), ...attributes.transactions];
  return (
    header.parentHash === parent.hash &&
    header.timestamp === wanted.timestamp &&
    header.mixHash === wanted.prevRandao &&
    header.miner.toLowerCase() === wanted.feeRecipient.toLowerCase() &&
    header.gasLimit === wanted.gasLimit &&
    header.parentBeaconBlockRoot === wanted.parentBeaconBlockRoot &&
    header.extraData === wanted.extraData &&
    transactions.length === raws.length &&
    transactions.every(({ raw }, index) => raw === raws[index])
  );
};

/**
 * Executes attributes on their parent, without making the block canonical. Undefined when the batch's transactions can't make
 * a block.
 * @throws DEPOSITS_INVALID when it isn't for them
 */
export const executeAttributes = async (
  engine: ExecutionEngine,
  attributes: DerivedAttributes,
): Promise<SealedBlock | undefined> => {
  const { parent, block, deposits, transactions } = attributes;
  const time = { number: parent.header.number + 1n, timestamp: block.timestamp };
  const execution = await engine.begin(parent.hash, block);
  try {
    for (const deposit of deposits) await execution.apply(deposit);
  } catch (cause) {
    if (!isRejection(cause)) throw cause;
    throw nodeError('DEPOSITS_INVALID', 'the deposits of a block do not execute', { parent: parent.hash }, cause);
  }
  try {
    for (const raw of transactions) await execution.apply(engine.rules.decodeTransaction(raw, time));
    return await execution.seal();
  } catch (error) {
    if (!isRejection(error) || transactions.length === 0) throw error;
    return undefined;
  }
};

const isRejection = (error: unknown): boolean => isOpenLedgerError(error) && error.handling === 'reject';
