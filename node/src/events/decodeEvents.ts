import type { PredeployName } from '@openledger/chain-config';
import { predeploys } from '@openledger/chain-config';
import {
  attributionLedgerAbi,
  BATCH_VERSION,
  BatchDecodeError,
  datanetsAbi,
  decodeBatch,
  jobsAbi,
  modelsAbi,
  provenanceAbi,
  rewardsAbi,
  stakingAbi,
} from '@openledger/contracts';
import { type ChainEvent, type EventArgs, type EventType, eventSchema } from '@openledger/event-log';
import {
  type Abi,
  type AbiEvent,
  decodeEventLog,
  decodeFunctionData,
  type Hex,
  keccak256,
  toEventSelector,
} from 'viem';
import { nodeError } from '../errors.ts';
import type { Block } from '../primitives/block.ts';
import type { L2Transaction } from '../primitives/transaction.ts';

const abis: Readonly<Record<PredeployName, Abi>> = {
  datanets: datanetsAbi,
  models: modelsAbi,
  jobs: jobsAbi,
  attributionLedger: attributionLedgerAbi,
  rewards: rewardsAbi,
  staking: stakingAbi,
  provenance: provenanceAbi,
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
 * The domain events of a block: the logs of our predeploys and the rows of the attribution batches in calldata. A pure
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

const batchFunctions: ReadonlySet<string> = new Set(['append', 'commitTraining', 'settleChannels']);

/** The batch bytes of the top-level call, if this transaction is one that carries a batch. */
const batchBytes = (transaction: L2Transaction): Hex | undefined => {
  if (transaction.kind !== 'signed' || !transaction.tx.to) return undefined;
  const abi = abiByAddress.get(transaction.tx.to.toString());
  if (!abi) return undefined;
  const { functionName, args } = decodeFunctionData({
    abi,
    data: `0x${Buffer.from(transaction.tx.data).toString('hex')}`,
  });
  const last = args?.at(-1);
  return batchFunctions.has(functionName) && typeof last === 'string' ? (last as Hex) : undefined;
};

const batchEvents = (
  appended: EventArgs<'BatchAppended'>,
  transaction: L2Transaction,
  position: Position,
): ChainEvent[] => {
  const { batchIndex, runner, version, count, batchHash } = appended;
  let subIndex = 1;
  const reject = (reason: string): ChainEvent[] => [
    { type: 'BatchRejected', ...position, subIndex: 1, args: { batchIndex, runner, reason } },
  ];
  if (version !== BATCH_VERSION) return reject('UNKNOWN_VERSION');
  try {
    const bytes = batchBytes(transaction);
    if (!bytes || keccak256(bytes) !== batchHash) return reject('NOT_IN_CALLDATA');
    return decodeBatch(bytes, count).flatMap(({ rows, ...output }): ChainEvent[] => [
      { type: 'OutputRecorded', ...position, subIndex: subIndex++, args: { batchIndex, ...output } },
      ...rows.map(
        ({ contributionId, weight }): ChainEvent => ({
          type: 'AttributionRecorded',
          ...position,
          subIndex: subIndex++,
          args: { batchIndex, outputId: output.outputId, contributionId, weight },
        }),
      ),
    ]);
  } catch (error) {
    // Codes, not messages: every node has to write the same log.
    return reject(error instanceof BatchDecodeError ? error.code : 'NOT_IN_CALLDATA');
  }
};
