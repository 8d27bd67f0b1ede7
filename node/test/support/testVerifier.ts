import type { LevelDb } from '@openledger/event-log';
import { createMetrics, silentLogger } from '@openledger/kit';
import { DerivationDriver } from '../../src/derivation/driver.ts';
import { Engine } from '../../src/engine/engine.ts';
import type { Genesis } from '../../src/genesis/genesisBlock.ts';
import type { L1Source } from '../../src/l1/l1Source.ts';
import { openMemoryDb } from './memoryDb.ts';

/** A node that has nothing but L1. */
export class TestVerifier {
  readonly engine: Engine;
  readonly driver: DerivationDriver;
  readonly db: LevelDb;

  private constructor(engine: Engine, driver: DerivationDriver, db: LevelDb) {
    this.engine = engine;
    this.driver = driver;
    this.db = db;
  }

  /** On its own database, or on that of a verifier before it. */
  static async start(l1: L1Source, genesis: Genesis, db: LevelDb = openMemoryDb()): Promise<TestVerifier> {
    const metrics = createMetrics('verifier');
    const engine = await Engine.open({ db, genesis, log: silentLogger, metrics });
    return TestVerifier.on(engine, l1, db);
  }

  /** Derivation on an engine that has blocks already. */
  static on(engine: Engine, l1: L1Source, db: LevelDb): TestVerifier {
    const options = { engine, l1, config: engine.config, db, log: silentLogger, metrics: createMetrics('derivation') };
    return new TestVerifier(engine, new DerivationDriver(options), db);
  }

  /** Derives all that L1 says. */
  async sync(limit = 10_000): Promise<this> {
    for (let i = 0; i < limit; i++) if ((await this.driver.step()) === 'idle') return this;
    throw new Error('derivation does not come to rest');
  }
}
