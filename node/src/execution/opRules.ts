import type { Common } from '@ethereumjs/common';
import type { MerkleStateManager } from '@ethereumjs/statemanager';
import { activeFork, type Fork, includesFork, isForkActive, type RollupConfig } from '@openledger/chain-config';
import type { Hex } from 'viem';
import { nodeError } from '../errors.ts';
import {
  EMPTY_REQUESTS_HASH,
  EMPTY_UNCLES_HASH,
  type Header,
  hashHeader,
  ZERO_HASH,
  ZERO_NONCE,
} from '../primitives/header.ts';
import { fromHex } from '../primitives/hex.ts';
import { parseL1Attributes } from '../primitives/l1Attributes.ts';
import { decodeTransaction, type L2Transaction } from '../primitives/transaction.ts';
import { decodeExtraData, nextBaseFee } from './baseFee.ts';
import type { OpenHeader } from './blockExecution.ts';
import type { BeginOptions, BlockHashes, BlockTime, ChainRules, DataFees, EnvironmentHeader } from './chainRules.ts';
import { deployCreate2Deployer } from './create2Deployer.ts';
import { createBlockVm } from './createBlockVm.ts';
import { createCommon } from './createCommon.ts';
import { daFootprint, l1FeeOf, operatorFee, readL1FeeParams, sizeScaledOfTransaction } from './l1Cost.ts';
import { OpBlockExecution } from './opBlockExecution.ts';
import { opPrecompiles } from './precompiles.ts';

export type OpRulesConfig = Pick<RollupConfig, 'l2ChainId' | 'forks' | 'eip1559'>;

/** Consensus rules of an OP Stack rollup, each fork by its activation time. */
export class OpRules implements ChainRules {
  readonly chainId: number;
  readonly #config: OpRulesConfig;
  readonly #commons = new Map<Fork, Common>();

  constructor(config: OpRulesConfig) {
    this.chainId = config.l2ChainId;
    this.#config = config;
  }

  forkAt({ timestamp }: Pick<BlockTime, 'timestamp'>): Fork {
    return activeFork(this.#config.forks, timestamp);
  }

  commonAt(block: BlockTime): Common {
    const fork = this.forkAt(block);
    const known = this.#commons.get(fork);
    if (known) return known;
    const common = createCommon(this.chainId, fork);
    this.#commons.set(fork, common);
    return common;
  }

  decodeTransaction(raw: Hex, block: BlockTime): L2Transaction {
    const types = includesFork(this.forkAt(block), 'isthmus') ? [1, 2, 4] : [1, 2];
    return decodeTransaction(raw, this.commonAt(block), types);
  }

  nextBaseFee(parent: Header, timestamp: bigint): bigint {
    return nextBaseFee(this.#config, parent, timestamp);
  }

  minBaseFee(head: Header): bigint {
    return includesFork(this.forkAt(head), 'jovian') ? decodeExtraData(head.extraData).minBaseFee : 0n;
  }

  /** No blob transactions on L2: their price never rises (ecotone/exec-engine.md). */
  blobBaseFee(header: Header): bigint | undefined {
    return includesFork(this.forkAt(header), 'ecotone') ? 1n : undefined;
  }

  nextBlobBaseFee(parent: Header): bigint | undefined {
    return this.blobBaseFee(parent);
  }

  /** Since Jovian blobGasUsed holds the DA footprint, which the gas limit bounds. */
  maxBlobGas(header: Header): bigint {
    return header.gasLimit;
  }

  async dataFees(
    state: MerkleStateManager,
    transaction: Pick<L2Transaction, 'raw'>,
    gas: bigint,
    block: BlockTime,
  ): Promise<DataFees> {
    const fork = this.forkAt(block);
    const params = await readL1FeeParams(state);
    const size = sizeScaledOfTransaction(transaction);
    return {
      l1Fee: l1FeeOf(fork, fromHex(transaction.raw), params, size).l1Fee,
      operatorFee: operatorFee(fork, gas, params),
      daFootprint: daFootprint(fork, size, params),
    };
  }

  createVm(state: MerkleStateManager, header: EnvironmentHeader, blockHashes: BlockHashes) {
    const common = this.commonAt(header);
    const precompiles = opPrecompiles(this.forkAt(header), common);
    return createBlockVm({ common, precompiles, state, header, blockHashes });
  }

  async begin({ view, parent, attributes, blockHashes }: BeginOptions): Promise<OpBlockExecution> {
    const { timestamp } = attributes;
    const fork = this.forkAt({ timestamp });
    if (includesFork(fork, 'ecotone') && !attributes.parentBeaconBlockRoot) {
      throw nodeError('BLOCK_INVALID', 'a block needs its parent beacon block root since Ecotone');
    }
    const header: OpenHeader = {
      parentHash: hashHeader(parent),
      sha3Uncles: EMPTY_UNCLES_HASH,
      miner: attributes.feeRecipient,
      difficulty: 0n,
      number: parent.number + 1n,
      gasLimit: attributes.gasLimit,
      timestamp,
      extraData: attributes.extraData,
      mixHash: attributes.prevRandao,
      nonce: ZERO_NONCE,
      baseFeePerGas: this.nextBaseFee(parent, timestamp),
      ...(includesFork(fork, 'ecotone')
        ? { excessBlobGas: 0n, parentBeaconBlockRoot: attributes.parentBeaconBlockRoot ?? ZERO_HASH }
        : {}),
      ...(includesFork(fork, 'isthmus') ? { requestsHash: EMPTY_REQUESTS_HASH } : {}),
    };
    const vm = await this.createVm(view.manager, header, blockHashes);
    const execution = new OpBlockExecution(view, vm, header, fork);
    // canyon/overview.md: the deployer appears with the fork's first block, without a transaction.
    if (includesFork(fork, 'canyon') && !isForkActive(this.#config.forks, 'canyon', parent.timestamp)) {
      await deployCreate2Deployer(view.manager);
    }
    await execution.beginSystemCalls();
    return execution;
  }

  l1OriginOf(transactions: readonly L2Transaction[]) {
    const first = transactions[0];
    if (first?.kind !== 'deposit') throw nodeError('BLOCK_INVALID', 'a block starts with its L1 attributes deposit');
    return parseL1Attributes(first.deposit);
  }
}
