import { createAddressFromString } from '@ethereumjs/util';
import type { Address, Hex } from 'viem';
import { numberToBytes } from 'viem';
import type { Engine } from '../engine/engine.ts';
import type { Mempool } from '../mempool/mempool.ts';
import type { Block } from '../primitives/block.ts';
import type { StateView } from '../state/stateStore.ts';
import type { BlockSelector } from './params.ts';
import { serverError } from './rpcError.ts';

/** What RPC methods read of the chain. `pending` is the head's state; the mempool only moves the pending nonce. */
export class ChainReader {
  readonly engine: Engine;
  readonly mempool: Mempool;

  constructor(engine: Engine, mempool: Mempool) {
    this.engine = engine;
    this.mempool = mempool;
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

  async stateAt(selector: BlockSelector): Promise<StateView> {
    const block = await this.requireBlock(selector);
    if (block.hash === this.engine.heads.unsafe.hash) return this.engine.stateAtHead();
    return this.engine.states.at(block.header.stateRoot, this.engine.common);
  }

  async account(address: Address, selector: BlockSelector): Promise<{ nonce: bigint; balance: bigint }> {
    const { manager } = await this.stateAt(selector);
    const account = await manager.getAccount(createAddressFromString(address));
    return { nonce: account?.nonce ?? 0n, balance: account?.balance ?? 0n };
  }

  async code(address: Address, selector: BlockSelector): Promise<Uint8Array> {
    return (await this.stateAt(selector)).manager.getCode(createAddressFromString(address));
  }

  async storage(address: Address, slot: Hex, selector: BlockSelector): Promise<Uint8Array> {
    const { manager } = await this.stateAt(selector);
    return manager.getStorage(createAddressFromString(address), numberToBytes(BigInt(slot), { size: 32 }));
  }
}
