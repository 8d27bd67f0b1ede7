import { createHash } from 'node:crypto';
import { bytesToHex, concatHex, type Hex, hexToBytes, keccak256, numberToHex, toRlp } from 'viem';
import type { Engine } from '../engine/engine.ts';
import { nodeError } from '../errors.ts';
import type { BlockExecution, SealedBlock } from '../execution/blockExecution.ts';
import type { BlockAttributes } from '../execution/chainRules.ts';
import { fillBlock } from '../mempool/fillBlock.ts';
import type { Mempool } from '../mempool/mempool.ts';
import { encodeWithdrawal } from '../primitives/encodeBlock.ts';

/** What a consensus client asks to be built: OP's payload attributes, decoded. */
export type BuildRequest = {
  readonly parentHash: Hex;
  readonly block: BlockAttributes;
  /** Raw; they come first, in this order, and all of them have to apply. */
  readonly transactions: readonly Hex[];
  readonly noTxPool: boolean;
  /** As they were asked for: part of the payload's id only. */
  readonly given: { readonly gasLimit?: bigint; readonly eip1559Params?: Hex; readonly minBaseFee?: bigint };
};

/** Milliseconds that transactions of the pool may take when the payload is fetched. */
const FILL_BUDGET_MS = 400;
const MAX_JOBS = 16;

/** op-geth's payload id: the first 8 bytes of a hash over what was asked, with the method's version in front. */
export const payloadIdOf = (
  version: number,
  { parentHash, block, transactions, noTxPool, given }: BuildRequest,
): Hex => {
  const u64 = (value: bigint) => numberToHex(value, { size: 8 });
  const hash = createHash('sha256');
  const withdrawals = (block.withdrawals ?? []).map((w) => encodeWithdrawal(w));
  const parts: Hex[] = [parentHash, u64(block.timestamp), block.prevRandao, block.feeRecipient, toRlp(withdrawals)];
  if (block.parentBeaconBlockRoot) parts.push(block.parentBeaconBlockRoot);
  if (noTxPool || transactions.length > 0) {
    parts.push(
      noTxPool ? '0x01' : '0x00',
      u64(BigInt(transactions.length)),
      ...transactions.map((raw) => keccak256(raw)),
    );
  }
  if (given.gasLimit !== undefined) parts.push(u64(given.gasLimit));
  if (given.eip1559Params) parts.push(given.eip1559Params);
  if (given.minBaseFee !== undefined) parts.push(u64(given.minBaseFee));
  const digest = hash.update(hexToBytes(concatHex(parts))).digest();
  digest[0] = version;
  return bytesToHex(digest.subarray(0, 8));
};

type Job = { readonly execution: BlockExecution; readonly noTxPool: boolean; sealed?: Promise<SealedBlock> };

/** Blocks that a consensus client has begun and not fetched yet; only the newest few are kept. */
export class PayloadBuilder {
  readonly #engine: Engine;
  readonly #mempool: Mempool;
  readonly #jobs = new Map<Hex, Job>();

  constructor(engine: Engine, mempool: Mempool) {
    this.#engine = engine;
    this.#mempool = mempool;
  }

  /** Executes the forced transactions at once. @throws BLOCK_INVALID, TX_*: the attributes make no block */
  async start(version: number, request: BuildRequest): Promise<Hex> {
    const id = payloadIdOf(version, request);
    if (this.#jobs.has(id)) return id;
    const execution = await this.#engine.begin(request.parentHash, request.block);
    for (const raw of request.transactions) {
      await execution.apply(this.#engine.rules.decodeTransaction(raw, execution.header));
    }
    this.#jobs.set(id, { execution, noTxPool: request.noTxPool });
    const oldest = this.#jobs.keys().next().value;
    if (this.#jobs.size > MAX_JOBS && oldest) this.#jobs.delete(oldest);
    return id;
  }

  /** Fills the block with waiting transactions and seals it; a second call gives the same block. @throws PAYLOAD_UNKNOWN */
  async get(id: Hex): Promise<SealedBlock> {
    const job = this.#jobs.get(id);
    if (!job) throw nodeError('PAYLOAD_UNKNOWN', 'Unknown payload', { id });
    job.sealed ??= (async () => {
      const refused = job.noTxPool ? [] : await fillBlock(job.execution, this.#mempool, FILL_BUDGET_MS);
      for (const { transaction, reason } of refused) await this.#mempool.drop(transaction, reason);
      return job.execution.seal();
    })();
    return job.sealed;
  }
}
