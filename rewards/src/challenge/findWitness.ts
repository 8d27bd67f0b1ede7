import type { EventReader } from '@openledger/event-log';
import type { CreditSink, Receipt, Witness } from '../ledger/creditSink.ts';
import { foldBlocks } from '../ledger/foldBlocks.ts';
import { initialLedger, type LedgerRules } from '../ledger/ledgerState.ts';
import { settleBlock } from '../ledger/settleBlock.ts';

/** How a receipt's contributors' part was divided; undefined when there is none to divide. */
export const findWitness = async (
  reader: EventReader,
  wanted: Receipt,
  rules: LedgerRules,
): Promise<Witness | undefined> => {
  const { state } = await foldBlocks(reader, {
    start: () => {
      const found: { open: boolean; witness?: Witness } = { open: false };
      const sink: CreditSink = {
        begin: ({ batch, page, output }) => {
          found.open = batch === wanted.batch && page === wanted.page && output === wanted.output;
        },
        credit: () => undefined,
        end: () => undefined,
        witness: (witness) => {
          if (found.open) found.witness = witness;
        },
      };
      return { ledger: initialLedger(rules), sink, found };
    },
    apply: ({ ledger, sink }, { events }) => settleBlock(ledger, events, sink),
  });
  return state.found.witness;
};
