import type { PredeployName } from '@openledger/chain-config';
import { predeploys } from '@openledger/chain-config';
import {
  attributionLedgerAbi,
  auditsAbi,
  datanetsAbi,
  decodePage,
  jobsAbi,
  modelsAbi,
  PageDecodeError,
  pagesOfCall,
  pagesRoot,
  provenanceAbi,
  rewardDisputesAbi,
  rewardRecomputeAbi,
  rewardsAbi,
  stakingAbi,
} from '@openledger/contracts';
import { type ChainEvent, type EventArgs, type EventType, eventSchema } from '@openledger/event-log';
import { type Abi, type AbiEvent, bytesToHex, decodeEventLog, type Hex, toEventSelector } from 'viem';
import { nodeError } from '../errors.ts';
import type { Block } from '../primitives/block.ts';
import { keccak256Bytes } from '../primitives/crypto.ts';
import { fromHex } from '../primitives/hex.ts';
import type { L2Transaction } from '../primitives/transaction.ts';

const abis: Readonly<Record<PredeployName, Abi>> = {
  datanets: datanetsAbi,
  models: modelsAbi,
  jobs: jobsAbi,
  attributionLedger: attributionLedgerAbi,
  rewards: rewardsAbi,
  staking: stakingAbi,
  provenance: provenanceAbi,
  rewardRecompute: rewardRecomputeAbi,
  rewardDisputes: rewardDisputesAbi,
  audits: auditsAbi,
};

const abiByAddress: ReadonlyMap<string, Abi> = new Map(
  (Object.keys(predeploys) as PredeployName[]).map((name) => [predeploys[name].toLowerCase(), abis[name]]),
);

/** Per predeploy, its domain events by topic. What the proxy and ownership log is administration and stays out. */
const domainEvents: ReadonlyMap<string, ReadonlyMap<Hex, AbiEvent>> = new Map(
  [...abiByAddress].map(([address, abi]) => {
    const events = abi.filter((item): item is AbiEvent => item.type === 'event' && item.name in eventSchema);
    return [address, new Map(events.map((event) => [toEventSelector(event), event]))];
  }),
);

type Position = { txIndex: number; logIndex: number; subIndex: number };

/**
 * The domain events of a block: the logs of our predeploys and the pages of the attribution batches in calldata. A pure
 * function of the block, so every node that derives the chain gets the same events.
 */
export const decodeEvents = (block: Pick<Block, 'transactions' | 'receipts'>): ChainEvent[] => {
  const events: ChainEvent[] = [];
  let logIndex = 0;
  for (const [txIndex, receipt] of block.receipts.entries()) {
    const transaction = block.transactions[txIndex];
    for (const log of receipt.logs) {
      const position = { txIndex, logIndex: logIndex++, subIndex: 0 };
      const definition = log.topics[0] && domainEvents.get(log.address.toLowerCase())?.get(log.topics[0]);
      if (!definition || !transaction) continue;
      const event = toEvent(definition, log, position);
      events.push(event);
      if (event.type === 'BatchAppended') events.push(...batchEvents(event.args, transaction, position));
    }
  }
  return events;
};

const toEvent = (definition: AbiEvent, log: { topics: readonly Hex[]; data: Hex }, position: Position): ChainEvent => {
  const decoded = decodeEventLog({ abi: [definition], data: log.data, topics: log.topics as [Hex, ...Hex[]] });
  const type = decoded.eventName as EventType;
  const schema = eventSchema[type];
  const given = decoded.args as unknown as Record<string, unknown>;
  const args = Object.fromEntries(
    Object.entries(schema.fields).map(([name, kind]) => {
      const value = given[name];
      if (value === undefined) throw nodeError('STORE_CORRUPT', `event ${type} has no argument ${name}`);
      return [name, kind === 'address' ? (value as string).toLowerCase() : value];
    }),
  );
  return { type, ...position, args } as unknown as ChainEvent;
};

/** Of the top-level call, whether it was signed on L2 or deposited on L1: a contract can't tell them apart either. */
const calldataOf = (transaction: L2Transaction): Uint8Array =>
  transaction.kind === 'signed' ? transaction.tx.data : fromHex(transaction.deposit.data);

const hash = (bytes: Uint8Array): Hex => bytesToHex(keccak256Bytes(bytes));

/** The pages, if they are what the contract hashed. They always are while the contracts insist on a top-level call. */
const recordedPages = (transaction: L2Transaction, root: Hex): Uint8Array[] | undefined => {
  const pages = pagesOfCall(calldataOf(transaction));
  return pages && pages.length > 0 && pagesRoot(pages, hash) === root ? pages : undefined;
};

/** One event a page: as it stands when it decodes, with the reason when not. */
const batchEvents = (
  { batchIndex, pageCount, pagesRoot: root }: EventArgs<'BatchAppended'>,
  transaction: L2Transaction,
  position: Position,
): ChainEvent[] => {
  const pages = recordedPages(transaction, root);
  return Array.from({ length: pageCount }, (_, page): ChainEvent => {
    const place = { ...position, subIndex: page + 1 };
    const data = pages?.[page];
    const reason = data ? pageProblem(data) : 'NOT_IN_CALLDATA';
    return data && !reason
      ? { type: 'PageRecorded', ...place, args: { batchIndex, page, data } }
      : { type: 'PageRejected', ...place, args: { batchIndex, page, reason: reason ?? '' } };
  });
};

/** Codes, not messages: every node has to write the same log. */
const pageProblem = (page: Uint8Array): string | undefined => {
  try {
    decodePage(page);
    return undefined;
  } catch (error) {
    if (error instanceof PageDecodeError) return error.code;
    throw error;
  }
};
