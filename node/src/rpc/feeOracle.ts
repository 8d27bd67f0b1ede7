import { numberToHex } from 'viem';
import { feeCapOf, tipCapOf } from '../mempool/admission.ts';
import type { Block } from '../primitives/block.ts';
import type { ChainReader } from './chainReader.ts';
import type { Json } from './format.ts';
import { required, toBlockSelector, toQuantity } from './params.ts';
import { invalidParams } from './rpcError.ts';

const MAX_BLOCKS = 1024n;
const SAMPLE_BLOCKS = 20n;
/** Asked when recent blocks weren't full: enough to be included, since the base fee does the pricing. */
const MIN_TIP = 1_000_000n;

/** Tips that signed transactions of a block paid, ascending, with the gas they used. */
const tipsOf = (block: Block): { tip: bigint; gas: bigint }[] =>
  block.transactions
    .flatMap((transaction, index) => {
      if (transaction.kind !== 'signed') return [];
      const room = feeCapOf(transaction) - (block.header.baseFeePerGas ?? 0n);
      const cap = tipCapOf(transaction);
      return [{ tip: room < cap ? room : cap, gas: block.receipts[index]?.gasUsed ?? 0n }];
    })
    .sort((a, b) => (a.tip < b.tip ? -1 : 1));

/** The median tip of recent blocks that were more than half full of their target, else the minimum. */
export const suggestTip = async (chain: ChainReader): Promise<bigint> => {
  const head = chain.engine.heads.unsafe.number;
  const tips: bigint[] = [];
  for (let number = head; number > 0n && number > head - SAMPLE_BLOCKS; number--) {
    const block = await chain.engine.chain.blockByNumber(number);
    if (block && block.header.gasUsed * 2n > block.header.gasLimit) tips.push(...tipsOf(block).map(({ tip }) => tip));
  }
  const median = tips.sort((a, b) => (a < b ? -1 : 1))[Math.floor(tips.length / 2)] ?? 0n;
  return median > MIN_TIP ? median : MIN_TIP;
};

const toPercentiles = (value: unknown): number[] => {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || value.length > 100) throw invalidParams('over the query limit 100');
  for (const [index, p] of value.entries()) {
    if (typeof p !== 'number' || p < 0 || p > 100) throw invalidParams(`invalid reward percentile: ${String(p)}`);
    if (index > 0 && p <= (value[index - 1] as number)) {
      throw invalidParams(`invalid reward percentile: #${index - 1}:${value[index - 1]} >= #${index}:${p}`);
    }
  }
  return value as number[];
};

/** A quantity; older clients send a JSON number. */
const toBlockCount = (value: unknown): bigint => {
  if (typeof value !== 'number') return toQuantity(value, 0);
  if (!Number.isSafeInteger(value) || value < 0) throw invalidParams('invalid argument 0: expected a block count');
  return BigInt(value);
};

/** eth_feeHistory(blockCount, newestBlock, percentiles). */
export const feeHistory = async (chain: ChainReader, params: readonly unknown[]): Promise<Json> => {
  const wanted = toBlockCount(required(params, 0));
  const selector = toBlockSelector(required(params, 1), 1);
  // What an open block pays isn't history yet.
  const newest = await chain.requireBlock(selector === 'pending' ? 'latest' : selector);
  const percentiles = toPercentiles(params[2]);
  const available = newest.header.number + 1n;
  const capped = wanted > MAX_BLOCKS ? MAX_BLOCKS : wanted;
  const count = capped > available ? available : capped;
  const oldest = newest.header.number - count + 1n;
  if (count === 0n) return { oldestBlock: '0x0', gasUsedRatio: [] };
  const blocks: Block[] = [];
  for (let number = oldest; number <= newest.header.number; number++) {
    const block = await chain.engine.chain.blockByNumber(number);
    if (block) blocks.push(block);
  }
  const reward = blocks.map((block) => {
    const tips = tipsOf(block);
    const total = tips.reduce((sum, { gas }) => sum + gas, 0n);
    return percentiles.map((percentile) => {
      const threshold = (total * BigInt(Math.round(percentile * 1000))) / 100_000n;
      let sum = 0n;
      for (const { tip, gas } of tips) {
        sum += gas;
        if (sum >= threshold) return numberToHex(tip);
      }
      return '0x0';
    });
  });
  const { rules } = chain.engine;
  return {
    oldestBlock: numberToHex(oldest),
    baseFeePerGas: [...blocks.map((b) => b.header.baseFeePerGas), chain.nextBaseFee(newest)].map((fee) =>
      numberToHex(fee ?? 0n),
    ),
    gasUsedRatio: blocks.map((b) => Number(b.header.gasUsed) / Number(b.header.gasLimit)),
    baseFeePerBlobGas: [...blocks.map((b) => rules.blobBaseFee(b.header)), rules.nextBlobBaseFee(newest.header)].map(
      (fee) => numberToHex(fee ?? 0n),
    ),
    blobGasUsedRatio: blocks.map((b) => Number(b.header.blobGasUsed ?? 0n) / Number(rules.maxBlobGas(b.header))),
    ...(percentiles.length > 0 ? { reward } : {}),
  };
};
