import type { BatchHeader, Settlement as BoundSettlement } from '@openledger/contracts';
import type { EventReader } from '@openledger/event-log';
import { type Address, type Hex, zeroHash } from 'viem';
import { applyState } from '../ledger/applyState.ts';
import { batchesOf } from '../ledger/batch.ts';
import { foldBlocks } from '../ledger/foldBlocks.ts';
import { initialLedger } from '../ledger/ledgerState.ts';

/** Where a batch is and what its head binds; the pages are in the transaction's calldata. */
export type ArchivedBatch = {
  readonly index: number;
  readonly header: BatchHeader;
  readonly settlements: readonly BoundSettlement[];
  readonly blockNumber: bigint;
  readonly txIndex: number;
};

/** Reads the wanted batches' headers and settlements from the event log. */
export const readBatches = async (
  reader: EventReader,
  wanted: ReadonlySet<number>,
  platform: Address,
): Promise<ReadonlyMap<number, ArchivedBatch>> => {
  const { state: found } = await foldBlocks(reader, {
    start: () => ({
      ledger: initialLedger({ platform }),
      batches: new Map<number, ArchivedBatch>(),
      head: zeroHash as Hex,
    }),
    apply: (known, { number, events }) => {
      for (const event of events) applyState(known.ledger, event);
      let settled: ReturnType<typeof batchesOf> | undefined;
      for (const event of events) {
        if (event.type !== 'BatchAppended') continue;
        const { batchIndex, head, runner, pageCount, pagesRoot, settlementsHash } = event.args;
        const index = Number(batchIndex);
        if (wanted.has(index)) {
          settled ??= batchesOf(events, known.ledger);
          const settlements = settled.find((batch) => batch.index === index)?.settlements ?? [];
          known.batches.set(index, {
            index,
            header: { previousHead: known.head, runner, blockNumber: number, pageCount, pagesRoot, settlementsHash },
            settlements: settlements.map((given) => ({ ...given, sourceId: BigInt(given.sourceId) })),
            blockNumber: number,
            txIndex: event.txIndex,
          });
        }
        known.head = head;
      }
    },
  });
  return found.batches;
};
