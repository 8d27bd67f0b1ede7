import { createAddressFromString } from '@ethereumjs/util';
import { opPredeploys } from '@openledger/chain-config';
import { type Address, bytesToHex, type Hex, numberToBytes } from 'viem';
import type { Engine } from '../engine/engine.ts';
import type { Mempool } from '../mempool/mempool.ts';
import { isPending } from '../pending/flashblock.ts';
import { PendingChain } from '../pending/pendingChain.ts';
import type { Block } from '../primitives/block.ts';
import { EMPTY_TRIE_ROOT } from '../primitives/header.ts';
import type { StateView } from '../state/stateStore.ts';
import type { BlockSelector } from './params.ts';
import { serverError } from './rpcError.ts';

/**
 * What RPC methods read of the chain. `pending` is the open block after its last flashblock, or the head where none is open;
 * the mempool only moves the pending nonce.
 */
export class ChainReader {
  readonly engine: Engine;
  readonly mempool: Mempool;
  readonly pending: PendingChain;

  constructor(engine: Engine, mempool: Mempool, pending = new PendingChain(engine)) {
    this.engine = engine;
    this.mempool = mempool;
    this.pending = pending;
  }

  async findBlock(selector: BlockSelector): Promise<Block | undefined> {
    const { chain } = this.engine;
    if (typeof selector === 'bigint') return chain.blockByNumber(selector);
    if (typeof selector === 'object') return chain.blockByHash(selector.hash);
    switch (selector) {
      case 'earliest':
        return chain.blockByNumber(0n);
      case 'safe':
        return chain.blockByHash(chain.heads.safe.hash);
      case 'finalized':
        return chain.blockByHash(chain.heads.finalized.hash);
      case 'pending':
        return this.pending.block ?? chain.blockByHash(chain.heads.unsafe.hash);
      default:
        return chain.blockByHash(chain.heads.unsafe.hash);
    }
  }

  /** @throws -32000 header not found */
  async requireBlock(selector: BlockSelector): Promise<Block> {
    const block = await this.findBlock(selector);
    if (!block) throw serverError('header not found');
    return block;
  }

  /** Wei per gas of the block after `block`, were it made now; zero before London. */
  nextBaseFee(block: Block): bigint {
    return this.engine.rules.nextBaseFee(block.header, block.header.timestamp + 1n) ?? 0n;
  }

  /** Where a transaction stands that is in the chain, or preconfirmed. */
  async transaction(hash: Hex): Promise<{ block: Block; index: number } | undefined> {
    return (await this.engine.chain.transaction(hash)) ?? this.pending.transaction(hash);
  }

  /** A view of the state after `block`, for the caller alone. */
  stateOf(block: Block): Promise<StateView> {
    return isPending(block) ? block.state.view() : this.engine.stateOf(block);
  }

  /** Read-only. */
  async stateAt(selector: BlockSelector): Promise<StateView> {
    const block = await this.requireBlock(selector);
    if (isPending(block)) return block.state.shared();
    if (block.hash === this.engine.heads.unsafe.hash) return this.engine.stateAtHead();
    return this.engine.stateOf(block);
  }

  async account(address: Address, selector: BlockSelector): Promise<{ nonce: bigint; balance: bigint }> {
    const { manager } = await this.stateAt(selector);
    const account = await manager.getAccount(createAddressFromString(address));
    return { nonce: account?.nonce ?? 0n, balance: account?.balance ?? 0n };
  }

  /** The storage root of the message passer after a block; since Isthmus its header has it too. */
  async messagePasserRoot(block: Block): Promise<Hex> {
    const { manager } = await this.stateOf(block);
    const passer = await manager.getAccount(createAddressFromString(opPredeploys.l2ToL1MessagePasser));
    return passer ? bytesToHex(passer.storageRoot) : EMPTY_TRIE_ROOT;
  }

  async code(address: Address, selector: BlockSelector): Promise<Uint8Array> {
    return (await this.stateAt(selector)).manager.getCode(createAddressFromString(address));
  }

  async storage(address: Address, slot: Hex, selector: BlockSelector): Promise<Uint8Array> {
    const { manager } = await this.stateAt(selector);
    return manager.getStorage(createAddressFromString(address), numberToBytes(BigInt(slot), { size: 32 }));
  }
}
