import { batchSourceKinds } from '@openledger/contracts';
import { prefixPart } from '../rules/prefixPart.ts';
import type { Batch, Settlement } from './batch.ts';
import { type CreditSink, SETTLEMENT_PAGE } from './creditSink.ts';
import { divideOutput } from './divideOutput.ts';
import type { LedgerState } from './ledgerState.ts';

/** All that one source settled with a batch. */
type SourceTotal = {
  readonly settlement: Settlement;
  /** Of its first settlement. */
  readonly index: number;
  amount: bigint;
  /** Fee weights of its outputs in the batch, in all, and of those that were divided already. */
  total: bigint;
  before: bigint;
};

const keyOf = (sourceKind: number, sourceId: number): number => sourceId * 4 + sourceKind;

/**
 * Lays what a batch settled along the outputs of each source in it, in proportion to their fee weights, and divides each
 * output's part. Money of a source without payable outputs goes back to whoever paid.
 */
export const settleBatch = (state: LedgerState, batch: Batch, sink: CreditSink): void => {
  if (batch.settlements.length === 0) return;
  const sources = sourceTotals(batch);
  for (const [page, outputs] of batch.pages.entries()) {
    if (!outputs) continue;
    for (let output = 0; output < outputs.size; output++) {
      const key = keyOf(outputs.sourceKinds[output] as number, outputs.sourceIds[output] as number);
      const source = sources.get(key);
      if (!source || source.total === 0n) continue;
      const weight = outputs.feeWeights[output] as bigint;
      const part = prefixPart(source.amount, source.before, weight, source.total);
      source.before += weight;
      if (part === 0n) continue;
      sink.begin({ batch: batch.index, page, output });
      divideOutput(state, { batch, source: source.settlement, amount: part, page: outputs, output }, sink);
      sink.end();
    }
  }
  for (const { settlement, index, amount, total } of sources.values()) {
    state.settled += amount;
    if (total > 0n || amount === 0n) continue;
    sink.begin({ batch: batch.index, page: SETTLEMENT_PAGE, output: index });
    sink.credit(state.accounts.number(settlement.payer), 'refund', amount, 0);
    sink.end();
  }
};

const sourceTotals = ({ pages, settlements }: Batch): Map<number, SourceTotal> => {
  const sources = new Map<number, SourceTotal>();
  for (const [index, settlement] of settlements.entries()) {
    const key = keyOf(settlement.sourceKind, settlement.sourceId);
    const known = sources.get(key);
    if (known) known.amount += settlement.amount;
    else sources.set(key, { settlement, index, amount: settlement.amount, total: 0n, before: 0n });
  }
  for (const page of pages) {
    for (let i = 0; i < (page?.size ?? 0); i++) {
      const source = sources.get(keyOf(page?.sourceKinds[i] as number, page?.sourceIds[i] as number));
      if (source) source.total += page?.feeWeights[i] as bigint;
    }
  }
  return sources;
};

/** Remembers the outputs of trainings: who is paid for answers that have no evidence of their own. */
export const recordTrainings = (state: LedgerState, { index, pages, settlements }: Batch): void => {
  for (const { sourceKind, sourceId } of settlements) {
    if (sourceKind !== batchSourceKinds.trainingJob) continue;
    let total = 0n;
    const outputs = [];
    for (const [number, page] of pages.entries()) {
      for (let i = 0; i < (page?.size ?? 0); i++) {
        if (page?.sourceKinds[i] !== sourceKind || page.sourceIds[i] !== sourceId) continue;
        const [from, to] = [page.rowOffsets[i] as number, page.rowOffsets[i + 1] as number];
        const weight = page.feeWeights[i] as bigint;
        const rows = { contributionIds: page.contributionIds.slice(from, to), weights: page.weights.slice(from, to) };
        outputs.push({ place: { batch: index, page: number, output: i }, before: total, weight, ...rows });
        total += weight;
      }
    }
    state.trainings.set(sourceId, { batch: index, outputs, total });
  }
};
