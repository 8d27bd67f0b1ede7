import { isForkActive } from '@openledger/chain-config';
import type { Hex } from 'viem';
import { originNumbers, type SpanBatch } from '../channels/spanBatch.ts';
import type { Block } from '../primitives/block.ts';
import { type BatchContext, type BatchValidity, checkDrift, isJovianActivation, isSequenced } from './checkBatch.ts';
import { type L2Parent, parentOf, type SafeChain } from './stage.ts';

export type SpanContext = BatchContext & { readonly safeChain: SafeChain };

const times = ({ config }: SpanContext, span: SpanBatch) => {
  const start = config.genesis.l2Time + span.relTimestamp;
  const at = (index: number): bigint => start + BigInt(index) * config.blockTime;
  return { start, at, end: at(span.blocks.length - 1) };
};

/** The block that a span starts on: the parent, or one before it that the span overlaps. Undefined when there is none. */
const spanParent = async (span: SpanBatch, context: SpanContext): Promise<L2Parent | undefined> => {
  const { config, parent, safeChain } = context;
  const overlap = parent.timestamp + config.blockTime - times(context, span).start;
  if (overlap === 0n) return parent;
  if (overlap % config.blockTime !== 0n) return undefined;
  const number = parent.number - overlap / config.blockTime;
  const block = number < 0n ? undefined : await safeChain.blockByNumber(number);
  return block && parentOf(block);
};

/** What a span must satisfy before its blocks are looked at: all of it since Holocene (holocene/derivation.md, "Span Batches"). */
export const checkSpanBatchPrefix = async (
  span: SpanBatch,
  context: SpanContext,
): Promise<{ validity: BatchValidity; spanParent?: L2Parent }> => {
  const { config, epochs, parent, inclusion } = context;
  const [epoch, nextEpoch] = epochs;
  if (!epoch) return { validity: 'undecided' };
  const holocene = isForkActive(config.forks, 'holocene', inclusion.timestamp);
  const startEpoch = originNumbers(span)[0] ?? 0n;
  const batchOrigin = startEpoch === epoch.number + 1n ? nextEpoch : epoch;
  if (!batchOrigin) return { validity: 'undecided' };
  if (!isForkActive(config.forks, 'delta', batchOrigin.timestamp)) return { validity: 'drop' };

  const { start, end } = times(context, span);
  const nextTimestamp = parent.timestamp + config.blockTime;
  if (start > nextTimestamp) return { validity: holocene ? 'drop' : 'future' };
  if (end < nextTimestamp) return { validity: holocene ? 'past' : 'drop' };
  const before = await spanParent(span, context);
  if (!before?.hash.startsWith(span.parentCheck)) return { validity: 'drop' };

  if (startEpoch + config.sequencerWindowSize < inclusion.number) return { validity: 'drop' };
  if (startEpoch > before.l1Origin.number + 1n) return { validity: 'drop' };
  const endOrigin = epochs.find(({ number }) => number === span.l1OriginNumber);
  if (!endOrigin) return { validity: 'undecided' };
  if (!endOrigin.hash.startsWith(span.l1OriginCheck)) return { validity: 'drop' };
  if (startEpoch < before.l1Origin.number) return { validity: 'drop' };
  return { validity: 'accept', spanParent: before };
};

/** The rules for a span as a whole, before Holocene (delta/span-batches.md, "Batch Queue"). */
export const checkSpanBatch = async (span: SpanBatch, context: SpanContext): Promise<BatchValidity> => {
  const prefix = await checkSpanBatchPrefix(span, context);
  if (prefix.validity !== 'accept' || !prefix.spanParent) return prefix.validity;
  const blocks = checkNewBlocks(span, context, prefix.spanParent);
  if (blocks !== 'accept') return blocks;
  return (await overlapMatches(span, context, prefix.spanParent)) ? 'accept' : 'drop';
};

const checkNewBlocks = (span: SpanBatch, context: SpanContext, before: L2Parent): BatchValidity => {
  const { config, epochs, parent } = context;
  const numbers = originNumbers(span);
  const { at } = times(context, span);
  for (const [index, { transactions }] of span.blocks.entries()) {
    const timestamp = at(index);
    if (timestamp <= parent.timestamp) continue;
    const place = epochs.findIndex(({ number }) => number === numbers[index]);
    const origin = epochs[place];
    if (!origin || timestamp < origin.timestamp) return 'drop';
    const isEmpty = transactions.length === 0;
    const nextOrigin = epochs[place + 1];
    const advancesOrigin = origin.number > (numbers[index - 1] ?? before.l1Origin.number);
    const drift = checkDrift(config, { timestamp, origin, nextOrigin, advancesOrigin, isEmpty });
    if (drift !== 'accept') return drift;
    if (!isEmpty && isJovianActivation(config, timestamp)) return 'drop';
    if (!transactions.every((transaction) => isSequenced(transaction, config.forks, timestamp))) return 'drop';
  }
  return 'accept';
};

const sequenced = ({ transactions }: Block): Hex[] =>
  transactions.flatMap(({ kind, raw }) => (kind === 'signed' ? [raw] : []));

/** Whether the blocks that the chain has already say the same as the span. */
const overlapMatches = async (span: SpanBatch, context: SpanContext, before: L2Parent): Promise<boolean> => {
  const numbers = originNumbers(span);
  const overlap = Number(context.parent.number - before.number);
  for (const [index, { transactions }] of span.blocks.slice(0, overlap).entries()) {
    const block = await context.safeChain.blockByNumber(before.number + 1n + BigInt(index));
    if (!block || block.l1Origin.number !== numbers[index]) return false;
    const ours = sequenced(block);
    if (ours.length !== transactions.length || ours.some((raw, place) => raw !== transactions[place])) return false;
  }
  return true;
};
