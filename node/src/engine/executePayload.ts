import type { Hex } from 'viem';
import { nodeError } from '../errors.ts';
import type { SealedBlock } from '../execution/blockExecution.ts';
import type { BlockAttributes } from '../execution/chainRules.ts';
import type { Withdrawal } from '../primitives/block.ts';
import { type Header, hashHeader } from '../primitives/header.ts';
import type { Engine } from './engine.ts';

/** A block as others hand it over: nothing in it is believed before it was executed. */
export type Payload = {
  readonly header: Header;
  readonly transactions: readonly Hex[];
  readonly withdrawals: readonly Withdrawal[];
  readonly uncles?: readonly Header[];
};

/** What the driver decided about a block that is there already. */
export const attributesOf = ({ header, withdrawals, uncles }: Omit<Payload, 'transactions'>): BlockAttributes => ({
  timestamp: header.timestamp,
  gasLimit: header.gasLimit,
  prevRandao: header.mixHash,
  feeRecipient: header.miner,
  ...(header.parentBeaconBlockRoot ? { parentBeaconBlockRoot: header.parentBeaconBlockRoot } : {}),
  extraData: header.extraData,
  withdrawals,
  uncles: uncles ?? [],
  difficulty: header.difficulty,
  nonce: header.nonce,
});

/**
 * Executes somebody else's block on its parent and compares what comes out with what its header says. Nothing is stored.
 * @throws BLOCK_UNKNOWN_PARENT; BLOCK_INVALID naming the first field that differs; TX_* when a transaction doesn't apply
 */
export const executePayload = async (engine: Engine, payload: Payload): Promise<SealedBlock> => {
  const { header } = payload;
  const execution = await engine.begin(header.parentHash, attributesOf(payload));
  for (const raw of payload.transactions) await execution.apply(engine.rules.decodeTransaction(raw, header));
  const sealed = await execution.seal();
  const expected = hashHeader(header);
  if (sealed.hash === expected) return sealed;
  const fields = Object.keys({ ...header, ...sealed.header }) as (keyof Header)[];
  const field = fields.find((name) => sealed.header[name] !== header[name]);
  throw nodeError('BLOCK_INVALID', `the block's ${field ?? 'hash'} is not what its execution gives`, {
    hash: expected,
    ...(field ? { stated: header[field], computed: sealed.header[field] } : {}),
  });
};
