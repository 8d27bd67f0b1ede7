import { type AbiFunction, bytesToHex, type Hex, toFunctionSelector } from 'viem';
import { attributionLedgerAbi } from '../generated/AttributionLedger.ts';
import { jobsAbi } from '../generated/Jobs.ts';
import { pagesInCalldata } from './pagesInCalldata.ts';

const carriers: ReadonlySet<string> = new Set(['append', 'commitTraining', 'settleChannels', 'commitInference']);

/** By selector, the word in which the last argument, the batch's pages, has its head: no argument before it takes two words. */
const slots: ReadonlyMap<Hex, number> = new Map(
  [...attributionLedgerAbi, ...jobsAbi]
    .filter((item): item is typeof item & AbiFunction => item.type === 'function' && carriers.has(item.name))
    .map((item) => [toFunctionSelector(item as AbiFunction), item.inputs.length - 1]),
);

/** The pages in the calldata of a call that carries a batch; undefined for every other call. */
export const pagesOfCall = (data: Uint8Array): Uint8Array[] | undefined => {
  const slot = slots.get(bytesToHex(data.subarray(0, 4)));
  return slot === undefined ? undefined : pagesInCalldata(data, slot);
};
