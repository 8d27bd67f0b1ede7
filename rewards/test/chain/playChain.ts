import { type BatchOutput, encodePages, voucherTypedData } from '@openledger/contracts';
import { type ChainEvent, type EventReader, eventSchema, type LogEntry } from '@openledger/event-log';
import { type Address, bytesToHex, type Hex, keccak256, numberToHex, parseEther, parseEventLogs } from 'viem';
import { accounts, type startChain } from '../../../contracts/test/support/chain.ts';
import {
  deploySystem,
  evaluation,
  governance,
  hashOf,
  MIN_BOND,
  otherRunner,
  runner,
} from '../../../contracts/test/support/system.ts';

type Chain = Awaited<ReturnType<typeof startChain>>;
type Receipt = Awaited<ReturnType<Chain['send']>>;
export type Source = { kind: 1 | 2 | 3; id: bigint };
export type Rows = Record<number, number>;

/** Real contracts on a real chain, and the event log that a node would make of it. */
export const playChain = async (chain: Chain) => {
  const system = await deploySystem(chain);
  const { datanets, models, jobs, ledger } = system;
  const abi = [...Object.values(system).flatMap((contract) => [...contract.abi])].filter(
    ({ type }) => type === 'event',
  );
  // Of the set-up, which is genesis on a real chain.
  const bonded = [runner, otherRunner].map((account) => ({
    type: 'BondChanged',
    txIndex: 0,
    logIndex: 0,
    subIndex: 0,
    args: { runner: account.toLowerCase(), bond: MIN_BOND },
  }));
  const blocks = new Map<bigint, ChainEvent[]>([[0n, bonded as unknown as ChainEvent[]]]);
  const pagesByBatch = new Map<number, readonly Uint8Array[]>();
  let nonce = 0n;

  /** Adds a receipt's events; pages as the node tells them. */
  const take = (receipt: Receipt, pages: readonly { bytes: Uint8Array; valid: boolean }[] = []) => {
    const events = blocks.get(receipt.blockNumber) ?? [];
    for (const { eventName, args, logIndex } of parseEventLogs({ abi, logs: receipt.logs })) {
      if (!(eventName in eventSchema)) continue;
      const fields = eventSchema[eventName as keyof typeof eventSchema].fields;
      const given = Object.entries(fields).map(([name, kind]) => {
        const value = (args as unknown as Record<string, unknown>)[name];
        return [name, kind === 'address' ? String(value).toLowerCase() : value];
      });
      const at = { txIndex: receipt.transactionIndex, logIndex, subIndex: 0 };
      const event = { type: eventName, ...at, args: Object.fromEntries(given) } as unknown as ChainEvent;
      events.push(event);
      if (event.type !== 'BatchAppended') continue;
      const { batchIndex } = event.args;
      pagesByBatch.set(
        Number(batchIndex),
        pages.map(({ bytes }) => bytes),
      );
      for (const [page, { bytes, valid }] of pages.entries()) {
        const told = valid
          ? { type: 'PageRecorded', args: { batchIndex, page, data: bytes } }
          : { type: 'PageRejected', args: { batchIndex, page, reason: 'TRUNCATED' } };
        events.push({ ...at, subIndex: page + 1, ...told } as ChainEvent);
      }
    }
    blocks.set(receipt.blockNumber, events);
    return receipt;
  };

  const output = (source: Source, model: bigint, weight: bigint, rows: Rows = {}): BatchOutput => ({
    modelId: model,
    sourceKind: source.kind,
    sourceId: source.id,
    method: 2,
    nonce: nonce++,
    promptHash: hashOf(`prompt ${nonce}`),
    outputHash: hashOf(`output ${nonce}`),
    promptTokens: 1,
    outputTokens: 2,
    feeWeight: weight,
    rows: Object.entries(rows).map(([id, value]) => ({ contributionId: BigInt(id), weight: BigInt(value) })),
  });

  /** One page per list of outputs; a string stands for a page that nobody can read. */
  const pagesOf = (groups: readonly (readonly BatchOutput[] | 'malformed')[]) =>
    groups.flatMap((group) =>
      group === 'malformed'
        ? [{ bytes: Uint8Array.of(1, 0, 9), valid: false }]
        : encodePages(group, { targetBytes: 60_000 }).map((bytes) => ({ bytes, valid: true })),
    );

  return {
    ...system,
    take,
    output,
    pagesOf,
    pagesByBatch,
    async base(owner: Address) {
      const name = `base ${nonce++}`;
      const receipt = take(
        await models.send(owner, 'registerBaseModel', [name, 'gpt2', hashOf(name), 'ipfs://x', 1n, 2n]),
      );
      return models.event(receipt, 'BaseModelRegistered').modelId;
    },
    async datanet() {
      const receipt = take(await datanets.send(governance, 'createDatanet', ['poems', 0, '']));
      return datanets.event(receipt, 'DatanetCreated').datanetId;
    },
    async contribute(datanetId: bigint, by: Address, duplicateOf = 0n, accepted = true) {
      const file = hashOf(`file ${nonce++}`);
      const receipt = take(await datanets.send(by, 'submit', [datanetId, file, 3, 10, 'a.txt']));
      const { contributionId } = datanets.event(receipt, 'ContributionSubmitted');
      if (accepted) take(await datanets.send(governance, 'accept', [contributionId, 9000, duplicateOf]));
      return contributionId;
    },
    /** Trains an adapter for `requester`; the groups are made for the job's id. */
    async train(
      requester: Address,
      modelId: bigint,
      datanetId: bigint,
      fee: bigint,
      groups: (job: bigint) => readonly (readonly BatchOutput[] | 'malformed')[],
    ) {
      const requested = take(await jobs.send(requester, 'requestTraining', [modelId, datanetId, 1, 3600n, '{}'], fee));
      const { jobId } = jobs.event(requested, 'JobRequested');
      take(await jobs.send(runner, 'claimJob', [jobId]));
      const pages = pagesOf(groups(jobId));
      const name = `adapter ${jobId}`;
      const result = {
        weightsHash: hashOf(name),
        configHash: hashOf('config'),
        name,
        evaluations: ['domain', 'general'].map(evaluation),
      };
      const calldata = pages.map(({ bytes }) => bytesToHex(bytes));
      const receipt = take(await jobs.send(runner, 'commitTraining', [jobId, 1, result, calldata]), pages);
      return jobs.event(receipt, 'JobCommitted').modelId;
    },
    async channel(payer: number, deposit = parseEther('1000')) {
      const receipt = take(await jobs.send(accounts[payer]?.address as Address, 'openChannel', [runner], deposit));
      return { id: jobs.event(receipt, 'ChannelOpened').channelId, payer };
    },
    /** Settles cumulative vouchers with the given pages. */
    async settle(
      vouchers: readonly { channel: { id: bigint; payer: number }; cumulative: bigint }[],
      groups: readonly (readonly BatchOutput[] | 'malformed')[],
    ) {
      const signed = await Promise.all(
        vouchers.map(async ({ channel, cumulative }) => {
          const message = { channelId: channel.id, cumulativeAmount: cumulative };
          const typedData = voucherTypedData({ chainId: chain.client.chain.id, jobs: jobs.address }, message);
          return {
            ...message,
            settleUpTo: cumulative,
            signature: (await accounts[channel.payer]?.signTypedData(typedData)) as Hex,
          };
        }),
      );
      const pages = pagesOf(groups);
      const calldata = pages.map(({ bytes }) => bytesToHex(bytes));
      return take(await jobs.send(runner, 'settleChannels', [signed, calldata]), pages);
    },
    /** Escrow for single calls, and their settlement with the given pages. */
    async escrow(payer: Address, modelId: bigint, amount: bigint) {
      const args = [modelId, runner, hashOf(`request ${nonce++}`), 100, 3600n] as const;
      const receipt = take(await jobs.send(payer, 'requestInference', args, amount));
      return jobs.event(receipt, 'InferenceRequested').jobId;
    },
    async answer(
      costs: readonly { jobId: bigint; amount: bigint }[],
      groups: readonly (readonly BatchOutput[] | 'malformed')[],
    ) {
      const pages = pagesOf(groups);
      return take(
        await jobs.send(runner, 'commitInference', [costs, pages.map(({ bytes }) => bytesToHex(bytes))]),
        pages,
      );
    },
    async append(groups: readonly (readonly BatchOutput[] | 'malformed')[]) {
      const pages = pagesOf(groups);
      return take(await ledger.send(runner, 'append', [pages.map(({ bytes }) => bytesToHex(bytes))]), pages);
    },
    /** A reader of everything up to now, as a node's feed gives it. */
    async reader(): Promise<EventReader> {
      const head = await chain.client.getBlockNumber();
      const entries = Array.from({ length: Number(head) + 1 }, (_, seq) => ({
        kind: 'block' as const,
        seq,
        number: BigInt(seq),
        hash: keccak256(numberToHex(seq)),
        logHash: keccak256(numberToHex(seq + 1_000_000)),
        events: blocks.get(BigInt(seq)) ?? [],
      })) as unknown as LogEntry[];
      const read = async function* (from: number) {
        yield* entries.slice(from);
      };
      const last = entries.at(-1) as LogEntry & { number: bigint; hash: Hex; logHash: Hex };
      const { number, hash, logHash } = last;
      return { head: async () => ({ number, hash, logHash, nextSeq: entries.length }), read, follow: read };
    },
  };
};

export type PlayedChain = Awaited<ReturnType<typeof playChain>>;
