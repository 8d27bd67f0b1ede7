import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LevelDb } from '@openledger/event-log';
import { createMetrics, silentLogger } from '@openledger/kit';
import { MemoryLevel } from 'memory-level';
import { Engine } from '../../../../node/src/engine/engine.ts';
import { executePayload, type Payload } from '../../../../node/src/engine/executePayload.ts';
import { EthereumRules, type GethConfig } from '../../../../node/src/execution/ethereumRules.ts';
import { readGethGenesis } from '../../../../node/src/genesis/gethGenesis.ts';
import { Mempool } from '../../../../node/src/mempool/mempool.ts';
import { readBlock } from '../../../../node/src/primitives/decodeBlock.ts';
import { ChainReader } from '../../../../node/src/rpc/chainReader.ts';
import { createDispatcher, type Dispatcher } from '../../../../node/src/rpc/dispatch.ts';
import { nodeMethods } from '../../../../node/src/rpc/nodeMethods.ts';

/** The blocks of a chain.rlp. */
export function* readBlocks(file: Uint8Array): Generator<Payload> {
  for (let rest = file; rest.length > 0; ) {
    const read = readBlock(rest);
    yield read.block;
    rest = read.rest;
  }
}

/** Executes genesis.json and chain.rlp on the plain Ethereum profile, and answers JSON-RPC about it. */
export const openEthereumChain = async (folder: string): Promise<Dispatcher> => {
  const genesis = readGethGenesis(readFileSync(join(folder, 'genesis.json'), 'utf8'));
  const rules = await EthereumRules.fromGethConfig(genesis.config as GethConfig);
  const db = new MemoryLevel<Uint8Array, Uint8Array>({
    keyEncoding: 'view',
    valueEncoding: 'view',
  }) as unknown as LevelDb;
  const [log, metrics] = [silentLogger, createMetrics('conformance')];
  const engine = await Engine.open({ db, genesis: { ...genesis, rules }, log, metrics });
  for (const payload of readBlocks(readFileSync(join(folder, 'chain.rlp')))) {
    await engine.insert(await executePayload(engine, payload));
  }
  const { unsafe } = engine.heads;
  await engine.setHeads({ safe: unsafe, finalized: unsafe });
  const mempool = await Mempool.open({ engine, db, log, metrics, limits: { minTip: 0n } });
  const l1 = { head: () => Promise.reject(new Error('plain Ethereum has no L1')) };
  return createDispatcher(nodeMethods(new ChainReader(engine, mempool), { l1 }), log);
};
