import { encodePages } from '@openledger/contracts';
import { type ChainEvent, EventLog, type EventType, eventSchema, type LevelDb } from '@openledger/event-log';
import { keccak256, numberToHex, zeroHash } from 'viem';
import { ACCOUNTS, accountOf, OUTPUTS_PER_BATCH, platform, ROWS, ROWS_PER_OUTPUT, random } from './workload.ts';

const blanks = {
  uint: 0n,
  number: 0,
  string: '',
  bool: false,
  address: platform,
  bytes32: zeroHash,
  bytes: new Uint8Array(),
};

/** An event with the arguments that the ledger reads; the log wants all of them. */
const event = (type: EventType, given: Record<string, unknown>): ChainEvent => {
  const fields = Object.entries(eventSchema[type].fields);
  const args = Object.fromEntries(fields.map(([name, kind]) => [name, given[name] ?? blanks[kind]]));
  return { type, txIndex: 0, logIndex: 0, subIndex: 0, args } as unknown as ChainEvent;
};

const runner = accountOf(-1);

const batchEvents = (index: number, next: () => number): ChainEvent[] => {
  const outputs = Array.from({ length: OUTPUTS_PER_BATCH }, (_, i) => {
    const ids = new Set<number>();
    while (ids.size < ROWS_PER_OUTPUT) ids.add(1 + (next() % ACCOUNTS));
    return {
      modelId: 1n,
      sourceKind: 2 as const,
      sourceId: 1n,
      method: 2,
      nonce: BigInt(i),
      promptHash: zeroHash,
      outputHash: zeroHash,
      promptTokens: 100,
      outputTokens: next() % 1000,
      feeWeight: BigInt(1 + (next() % 1000)),
      rows: [...ids]
        .sort((a, b) => a - b)
        .map((id) => ({ contributionId: BigInt(id), weight: BigInt(1 + (next() % 10_000)) })),
    };
  });
  const batchIndex = BigInt(index);
  return [
    event('BatchAppended', { batchIndex, runner }),
    ...encodePages(outputs, { compress: false }).map((data, page) => event('PageRecorded', { batchIndex, page, data })),
    event('ChannelSettled', {
      channelId: 1n,
      runner,
      payer: runner,
      amount: 10n ** 18n + 7n,
      batchIndex,
      splitVersion: 1,
    }),
  ];
};

/** Writes the log of an epoch as a node writes it; returns its last block. */
export const buildLog = async (db: LevelDb): Promise<bigint> => {
  const log = await EventLog.open(db);
  const next = random(7);
  let parentHash = zeroHash as `0x${string}`;
  const write = async (number: bigint, events: ChainEvent[]) => {
    const hash = keccak256(numberToHex(number));
    const figures = { timestamp: number, gasUsed: 0n, gasLimit: 0n, baseFee: 0n, transactions: [] };
    const l1Origin = { number: 0n, hash: zeroHash };
    const prepared = log.prepareBlock({ number, hash, parentHash, ...figures, l1Origin, events });
    await db.batch([...prepared.ops]);
    log.committed(prepared);
    parentHash = hash;
  };
  await write(0n, [
    event('BaseModelRegistered', { modelId: 1n, owner: accountOf(-2) }),
    event('BondChanged', { runner, bond: 1n }),
  ]);
  const contributions = Array.from({ length: ACCOUNTS }, (_, i) =>
    event('ContributionAccepted', { contributionId: BigInt(i + 1), contributor: accountOf(i) }),
  );
  await write(1n, contributions);
  const batches = Math.ceil(ROWS / (ROWS_PER_OUTPUT * OUTPUTS_PER_BATCH));
  for (let i = 0; i < batches; i++) await write(BigInt(i + 2), batchEvents(i, next));
  return BigInt(batches + 1);
};
