import type { PredeployName } from '@openledger/chain-config';
import { predeploys } from '@openledger/chain-config';
import {
  attributionLedgerAbi,
  datanetsAbi,
  decodeBatch,
  jobsAbi,
  modelsAbi,
  provenanceAbi,
  rewardsAbi,
  stakingAbi,
} from '@openledger/contracts';
import { type ChainEvent, type EventArgs, type EventType, eventSchema } from '@openledger/event-log';
import { describeError } from '@openledger/kit';
import { type Abi, type Address, decodeEventLog, decodeFunctionData, type Hex, keccak256 } from 'viem';
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
      const abi = abiByAddress.get(log.address.toLowerCase());
      if (!abi || !transaction) continue;
      const event = toEvent(abi, log, position);
      if (!event) continue;
      events.push(event);
      if (event.type === 'BatchAppended') events.push(...batchEvents(event.args, transaction, position));
    }
  }
  return events;
};

const toEvent = (
  abi: Abi,
  log: { address: Address; topics: readonly Hex[]; data: Hex },
  position: Position,
): ChainEvent | undefined => {
  const decoded = decodeEventLog({ abi, data: log.data, topics: log.topics as [Hex, ...Hex[]], strict: true });
  const type = decoded.eventName as unknown as EventType;
  const schema = eventSchema[type];
  // Events of the proxy and of ownership are administration, not history of the domain.
  if (!schema) return undefined;
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
  const bytes = batchBytes(transaction);
  if (!bytes || keccak256(bytes) !== batchHash) return reject('batch is not in the calldata of its transaction');
  if (version !== 0) return reject(`unknown batch version ${version}`);
  try {
    const outputs = decodeBatch(bytes);
    if (outputs.length !== count) return reject(`batch has ${outputs.length} outputs, ${count} were declared`);
    return outputs.flatMap(({ rows, ...output }): ChainEvent[] => [
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
    return reject(describeError(error));
  }
};
