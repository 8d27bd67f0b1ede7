import { encodeAbiParameters, type Hex, hexToBigInt, keccak256, toRlp, trim } from 'viem';
import { batchSourceKinds } from './page/page.ts';

/** Audits.Status. */
export const auditStatuses = {
  none: 0,
  open: 1,
  contested: 2,
  matched: 3,
  faulted: 4,
  dismissed: 5,
  undecided: 6,
} as const;

/** Audits.Finding. */
export const auditFindings = { none: 0, matches: 1, differs: 2, unavailable: 3 } as const;

/** Shares of the outputs that are drawn, in basis points. */
export type AuditRates = { readonly inferenceRateBps: number; readonly trainingRateBps: number };

/** Audits.isDrawn, without asking the chain (docs/spec/audits.md). */
export const drawOf = (outputId: Hex, sourceKind: number, seed: Hex, rates: AuditRates): boolean => {
  const rate = sourceKind === batchSourceKinds.trainingJob ? rates.trainingRateBps : rates.inferenceRateBps;
  const word = keccak256(encodeAbiParameters([{ type: 'bytes32' }, { type: 'bytes32' }], [seed, outputId]));
  return hexToBigInt(word) % 10_000n < BigInt(rate);
};

/** A block as JSON-RPC tells it. */
export type RpcHeader = Readonly<Record<string, unknown>>;

/** A header's fields in their order in the RLP, under JSON-RPC's names; each fork added some at the end. */
const headerFields = [
  ...['parentHash', 'sha3Uncles', 'miner', 'stateRoot', 'transactionsRoot', 'receiptsRoot', 'logsBloom', 'difficulty'],
  ...['number', 'gasLimit', 'gasUsed', 'timestamp', 'extraData', 'mixHash', 'nonce', 'baseFeePerGas'],
  ...['withdrawalsRoot', 'blobGasUsed', 'excessBlobGas', 'parentBeaconBlockRoot', 'requestsHash'],
];
/** Numbers have no leading zeros in RLP; everything else is as long as it is. */
const headerNumbers = new Set([
  ...['difficulty', 'number', 'gasLimit', 'gasUsed', 'timestamp', 'baseFeePerGas', 'blobGasUsed', 'excessBlobGas'],
]);

/**
 * The RLP of a block's header, as Audits.open takes it.
 * @throws RangeError when its hash isn't the block's: a field is missing, or there is one that we don't know
 */
export const headerRlp = (block: RpcHeader): Hex => {
  const present = headerFields.filter((name) => typeof block[name] === 'string');
  const rlp = toRlp(
    present.map((name) => (headerNumbers.has(name) ? numberBytes(block[name] as Hex) : (block[name] as Hex))),
  );
  if (keccak256(rlp) !== block.hash)
    throw new RangeError(`the header of block ${block.hash} has a form that is not known`);
  return rlp;
};

/** JSON-RPC writes 5 as 0x5 and 0 as 0x0. */
const numberBytes = (quantity: Hex): Hex => {
  const value = BigInt(quantity);
  return value === 0n ? '0x' : trim(`0x${value.toString(16).padStart(64, '0')}`);
};
