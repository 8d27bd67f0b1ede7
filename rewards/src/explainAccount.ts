import { decodePage, outputIdAt } from '@openledger/contracts';
import type { ChainEvent, EventReader } from '@openledger/event-log';
import type { Address, Hex } from 'viem';
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
  /** Null where a settlement is refunded as a whole. */
  readonly outputId: Hex | null;
  /** The contribution that is paid for: the first of its cluster; 0 where none is. */
  readonly contribution: number;
  readonly file: ContributedFile | null;
};

export type ContributedFile = { readonly name: string; readonly contentHash: Hex };

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
      const files = new Map<number, ContributedFile>();
      const wanted = ledger.accounts.number(account);
      const at = { block: 0n, receipt: { batch: 0, page: 0, output: 0 } as Receipt };
      const sink: CreditSink = {
        begin: (receipt) => {
          at.receipt = receipt;
        },
        credit: (who, role, amount, contribution) => {
          if (who !== wanted) return;
          const file = files.get(contribution) ?? null;
          found.push({ role, amount, receipt: at.receipt, block: at.block, outputId: null, contribution, file });
        },
        end: () => undefined,
      };
      return { ledger, sink, found, files, at };
    },
    apply: ({ ledger, sink, found, files, at }, { number, events }) => {
      at.block = number;
      for (const event of events) {
        if (event.type !== 'ContributionSubmitted') continue;
        const { contributionId, fileName, contentHash } = event.args;
        files.set(Number(contributionId), { name: fileName, contentHash });
      }
      const before = found.length;
      settleBlock(ledger, events, sink);
      found.splice(before, Number.POSITIVE_INFINITY, ...found.slice(before).map((one) => withOutputId(one, events)));
    },
  });
  return state.found;
};

const withOutputId = (explanation: Explanation, events: readonly ChainEvent[]): Explanation => {
  const { batch, page, output } = explanation.receipt;
  for (const event of events) {
    if (event.type !== 'PageRecorded' || Number(event.args.batchIndex) !== batch || event.args.page !== page) continue;
    return { ...explanation, outputId: outputIdAt(decodePage(event.args.data), output) };
  }
  return explanation;
};

/** A line for people. */
export const describeExplanation = (explanation: Explanation): string => {
  const { role, amount, receipt, block, outputId, contribution, file } = explanation;
  const { batch, page, output } = receipt;
  const what =
    page === SETTLEMENT_PAGE ? `settlement ${output}` : `output ${outputId} (output ${output} of page ${page})`;
  const paidFor = contribution > 0 ? `, for contribution ${contribution}` : '';
  const named = file ? ` (${JSON.stringify(file.name)}, sha256 ${file.contentHash})` : '';
  return `${amount} wei as ${role}: ${what} in batch ${batch}, block ${block}${paidFor}${named}`;
};
