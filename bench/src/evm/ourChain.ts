import { createMetrics, silentLogger } from '@openledger/kit';
import { type Hex, toHex } from 'viem';
import { Engine } from '../../../node/src/engine/engine.ts';
import { attributesOf } from '../../../node/src/engine/executePayload.ts';
import { EthereumRules, type GethConfig } from '../../../node/src/execution/ethereumRules.ts';
import { readGethGenesis } from '../../../node/src/genesis/gethGenesis.ts';
import type { L2Transaction } from '../../../node/src/primitives/transaction.ts';
import { openLevelDb } from '../levelDb.ts';
import type { PeerBlock } from './anvilPeer.ts';
import type { GenesisFile } from './genesisFile.ts';

/** Milliseconds: the transactions, the roots and the header, the synced batch. */
export type BlockTimes = { readonly apply: number; readonly seal: number; readonly insert: number };

const HISTORY_STORAGE = '0x0000f90827f1c53a10cb7a02335b175320002935';
const HISTORY_CODE: Hex =
  '0x3373fffffffffffffffffffffffffffffffffffffffe14604657602036036042575f35600143038111604257611fff81430311604257611fff9006545f5260205ff35b5f5ffd5b5f35611fff60014303065500';

/** Our engine on a LevelDB of its own, on the block that the peer made first. */
export class OurChain {
  readonly engine: Engine;
  readonly close: () => Promise<void>;

  private constructor(engine: Engine, close: () => Promise<void>) {
    this.engine = engine;
    this.close = close;
  }

  /**
   * Anvil's block 0 states an empty state root whatever the genesis file says, so its block 1, which has no transactions, is
   * our first. EIP-2935 has put the hash of block 0 into the history contract there.
   */
  static async open(genesis: GenesisFile, first: PeerBlock): Promise<OurChain> {
    const { header } = first;
    const history = { balance: '0x0', code: HISTORY_CODE, storage: { '0x00': header.parentHash } };
    const file = {
      ...genesis,
      alloc: { ...genesis.alloc, [HISTORY_STORAGE]: history },
      number: toHex(header.number),
      parentHash: header.parentHash,
      timestamp: toHex(header.timestamp),
      mixHash: header.mixHash,
      coinbase: header.miner,
      baseFeePerGas: toHex(header.baseFeePerGas ?? 0n),
    };
    const blockZero = readGethGenesis(JSON.stringify(file));
    const rules = await EthereumRules.fromGethConfig(genesis.config as GethConfig);
    const { db, close } = openLevelDb();
    const options = { db, log: silentLogger, metrics: createMetrics('bench') };
    const engine = await Engine.open({ ...options, genesis: { ...blockZero, rules } });
    const { hash } = engine.heads.unsafe;
    if (hash !== first.hash) throw new Error(`the chains start differently: ours ${hash}, anvil ${first.hash}`);
    return new OurChain(engine, close);
  }

  /** Decoded, senders recovered: what is done at submission. */
  decode(transactions: readonly Hex[]): L2Transaction[] {
    const head = this.engine.heads.unsafe;
    const next = { number: head.number + 1n, timestamp: 2n ** 40n };
    return transactions.map((raw) => this.engine.rules.decodeTransaction(raw, next));
  }

  /** The block that the peer made, by our execution, in the peer's order. @throws when it is another block */
  async execute(peer: PeerBlock, decoded: readonly L2Transaction[]): Promise<BlockTimes> {
    const byHash = new Map(decoded.map((transaction) => [transaction.hash, transaction]));
    const ordered = peer.transactions.flatMap((hash) => byHash.get(hash) ?? []);
    const attributes = attributesOf({ header: peer.header, withdrawals: [] });
    const started = performance.now();
    const execution = await this.engine.begin(peer.header.parentHash, attributes);
    for (const transaction of ordered) await execution.apply(transaction);
    const applied = performance.now();
    const sealed = await execution.seal();
    const done = performance.now();
    await this.engine.insert(sealed);
    const inserted = performance.now();
    if (sealed.hash !== peer.hash) throw new Error(`block ${peer.header.number}: ${differences(sealed.header, peer)}`);
    return { apply: applied - started, seal: done - applied, insert: inserted - done };
  }
}

const differences = (ours: PeerBlock['header'], peer: PeerBlock): string =>
  Object.entries(ours)
    .filter(([name, value]) => value !== peer.header[name as keyof typeof ours])
    .map(([name, value]) => `${name} is ${value}, anvil says ${peer.header[name as keyof typeof ours]}`)
    .join('; ');
