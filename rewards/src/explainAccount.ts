import type { EventReader } from '@openledger/event-log';
import type { Address } from 'viem';
import type { CreditSink, Receipt, Role } from './ledger/creditSink.ts';
import { SETTLEMENT_PAGE } from './ledger/creditSink.ts';
import { foldBlocks } from './ledger/foldBlocks.ts';
import { initialLedger, type LedgerRules } from './ledger/ledgerState.ts';
import { settleBlock } from './ledger/settleBlock.ts';

/** One reason why an account is owed something. */
export type Explanation = {
  readonly role: Role;
  /** Wei of OPEN. */
  readonly amount: bigint;
  readonly receipt: Receipt;
  readonly block: bigint;
  /** The contribution that is paid for: the first of its cluster; 0 where none is. */
  readonly contribution: number;
};

/** Every credit of an account up to a block, in the order of the log. They sum to what the account is owed. */
export const explainAccount = async (
  reader: EventReader,
  account: Address,
  rules: LedgerRules,
  toBlock?: bigint,
): Promise<Explanation[]> => {
  const { state } = await foldBlocks(reader, {
    ...(toBlock === undefined ? {} : { toBlock }),
    start: () => {
      const ledger = initialLedger(rules);
      const found: Explanation[] = [];
      const wanted = ledger.accounts.number(account);
      const at = { block: 0n, receipt: { batch: 0, page: 0, output: 0 } as Receipt };
      const sink: CreditSink = {
        begin: (receipt) => {
          at.receipt = receipt;
        },
        credit: (who, role, amount, contribution) => {
          if (who === wanted) found.push({ role, amount, receipt: at.receipt, block: at.block, contribution });
        },
        end: () => undefined,
      };
      return { ledger, sink, found, at };
    },
    apply: ({ ledger, sink, at }, { number, events }) => {
      at.block = number;
      settleBlock(ledger, events, sink);
    },
  });
  return state.found;
};

/** A line for people. */
export const describeExplanation = ({ role, amount, receipt, block, contribution }: Explanation): string => {
  const { batch, page, output } = receipt;
  const what = page === SETTLEMENT_PAGE ? `settlement ${output}` : `output ${output} of page ${page}`;
  const file = contribution > 0 ? `, for contribution ${contribution}` : '';
  return `${amount} wei as ${role}: ${what} in batch ${batch}, block ${block}${file}`;
};
