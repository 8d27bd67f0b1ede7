import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Call,
  contracts,
  createOpenLedgerClient,
  type OpenLedgerClient,
  sendTransaction,
} from '@openledger/client';
import { decodePage, modelsAbi, outputIdOf, outputsOf } from '@openledger/contracts';
import { createRemoteReader } from '@openledger/event-log';
import { createMetrics, silentLogger } from '@openledger/kit';
import { type Hex, parseEventLogs, type TransactionReceipt } from 'viem';
import type { PrivateKeyAccount } from 'viem/accounts';
import { auditRoutes } from '../../gpu-runner/src/audit/auditRoutes.ts';
import { Transcripts } from '../../gpu-runner/src/audit/transcripts.ts';
import { RunnerView } from '../../gpu-runner/src/chain/runnerView.ts';
import { Transactor } from '../../gpu-runner/src/chain/transactor.ts';
import type { Engine } from '../../gpu-runner/src/engine/engineProcess.ts';
import { ApiKeys } from '../../gpu-runner/src/gateway/apiKeys.ts';
import { startGateway } from '../../gpu-runner/src/gateway/gateway.ts';
import { Inference } from '../../gpu-runner/src/gateway/inference.ts';
import { type OperatorChannel, Payments } from '../../gpu-runner/src/gateway/payments.ts';
import { Settler } from '../../gpu-runner/src/gateway/settler.ts';
import { runIntake } from '../../gpu-runner/src/intake.ts';
import type { JobQueue } from '../../gpu-runner/src/jobs/jobQueue.ts';
import { openRunnerDatabase, type RunnerDatabase } from '../../gpu-runner/src/queue/database.ts';
import { EngineGenerator } from '../../gpu-runner/src/serving/engineGenerator.ts';
import { ContentStore, hashFile } from '../../gpu-runner/src/store/contentStore.ts';
import { ModelLocator } from '../../gpu-runner/src/store/modelLocator.ts';
import { goodEngine } from '../../gpu-runner/test/support/gateway.ts';
import { ScriptedEngine } from '../../gpu-runner/test/support/scriptedEngine.ts';
import { ScriptedL1 } from '../../node/test/support/scriptedL1.ts';
import { type GenesisChanges, makeGenesis } from '../../node/test/support/testGenesis.ts';
import { startTestServer, type TestServer } from '../../node/test/support/testServer.ts';

const WEIGHTS = 'base weights';
const COMMIT_MARGIN_MS = 30_000;

/** What is served, and on which chain; by default a scripted model: 10 tokens in, 20 out, "Hello". */
export type ServedOptions = { engine?: Engine; base?: string; genesis?: GenesisChanges };

/**
 * A node whose blocks the test makes, the real contracts in it, and the serving part of a runner that follows its event feed.
 */
export class ServedChain {
  readonly node: TestServer;
  readonly view = new RunnerView();
  /** Ids of the outputs that the event feed has told of. */
  readonly recorded = new Set<Hex>();
  readonly runner: PrivateKeyAccount;
  /** Folder of the base model. */
  readonly base: string;
  readonly transactor: Transactor;
  readonly keys: ApiKeys;
  readonly settler: Settler;
  readonly database: RunnerDatabase;
  url = '';
  readonly #closing: (() => Promise<unknown> | unknown)[];
  readonly #clients = new Map<string, OpenLedgerClient>();

  private constructor(
    node: TestServer,
    runner: PrivateKeyAccount,
    base: string,
    database: RunnerDatabase,
    closing: (() => unknown)[],
  ) {
    this.node = node;
    this.runner = runner;
    this.base = base;
    this.database = database;
    this.#closing = closing;
    const apply = this.view.apply.bind(this.view);
    this.view.apply = (entry) => {
      apply(entry);
      for (const { type, args } of entry.kind === 'block' ? entry.events : []) {
        if (type !== 'PageRecorded') continue;
        for (const output of outputsOf(decodePage(args.data))) this.recorded.add(outputIdOf(output));
      }
    };
    this.transactor = new Transactor(this.client(runner));
    this.keys = new ApiKeys({ database, now: Date.now });
    this.settler = new Settler({ database, view: this.view, transactor: this.transactor, log: silentLogger });
  }

  static async start(
    runner: PrivateKeyAccount,
    operator: OperatorChannel,
    options: ServedOptions = {},
  ): Promise<ServedChain> {
    const root = mkdtempSync(join(tmpdir(), 'openledger-served-'));
    for (const folder of ['base', 'files']) mkdirSync(join(root, folder), { recursive: true });
    const { engine = new ScriptedEngine(goodEngine()), base = join(root, 'base') } = options;
    if (!options.base) writeFileSync(join(base, 'model.safetensors'), WEIGHTS);
    const l1 = new ScriptedL1();
    const node = await startTestServer({ l1, genesis: await makeGenesis(l1.genesis, {}, options.genesis) });
    const database = await openRunnerDatabase({ dataDir: join(root, 'database') });
    const abort = new AbortController();
    const served = new ServedChain(node, runner, base, database, [
      () => rmSync(root, { recursive: true, force: true }),
      () => node.close(),
      () => database.close(),
    ]);
    const { view, keys: apiKeys } = served;
    const chainId = node.viemChain.id;
    const now = () => served.now();
    const payee = { chainId, runner: runner.address };
    const models = await ModelLocator.open(join(root, 'adapters'), [base]);
    const payments = new Payments({ ...payee, database, view, now, operator, commitMarginMs: COMMIT_MARGIN_MS });
    const store = new ContentStore(join(root, 'files'));
    const inference = new Inference({
      ...{ view, store, models, engine, payments, apiKeys, account: runner, chainId, database },
      generator: new EngineGenerator(engine),
      ...{ indexDir: join(root, 'indexes'), log: silentLogger },
    });
    const gateway = await startGateway({
      ...{ inference, store, database, payee, host: '127.0.0.1', port: 0, now, readiness: () => [] },
      routes: (app) => auditRoutes(app, { view, store, models, payee, now, transcripts: new Transcripts(database) }),
      ...{ log: silentLogger, metrics: createMetrics('gateway') },
    });
    served.url = gateway.url;
    const reader = createRemoteReader({ url: node.url, onRetry: () => {} });
    const queue = { add: async () => {} } as unknown as JobQueue;
    const intake = runIntake(
      { reader, view, queue, runner: runner.address, onReady: () => {}, now, log: silentLogger },
      abort.signal,
    );
    served.#closing.push(
      () => intake,
      () => abort.abort(),
      () => gateway.close(),
    );
    return served;
  }

  /** The chain's time; blocks come a second apart, however fast they are made. */
  #time = 0;
  now(): number {
    return this.#time;
  }

  client(account: PrivateKeyAccount): OpenLedgerClient {
    const known = this.#clients.get(account.address);
    if (known) return known;
    const client = createOpenLedgerClient({ chain: this.node.viemChain, account, pollingInterval: 10 });
    this.#clients.set(account.address, client);
    return client;
  }

  /** Makes a block for every transaction that comes in until the work is done, and the runner has read them. */
  async mining<T>(work: Promise<T>): Promise<T> {
    let making: Promise<void> = Promise.resolve();
    const stop = this.node.chain.mempool.onTransaction(() => {
      making = making.then(() => this.step());
    });
    try {
      return await work;
    } finally {
      stop();
      await making;
      await this.caughtUp();
    }
  }

  async step(count = 1): Promise<void> {
    for (let i = 0; i < count; i++) this.#time = Number((await this.node.chain.step()).header.timestamp) * 1000;
  }

  /** The runner has seen the newest block. */
  async caughtUp(): Promise<void> {
    const { view } = this;
    let heard = () => {};
    const apply = view.apply.bind(view);
    const number = this.node.chain.engine.heads.unsafe.number + 1n;
    const reached = new Promise<void>((resolve) => {
      heard = resolve;
    });
    view.apply = (entry) => {
      apply(entry);
      if (entry.kind === 'block' && entry.number >= number) heard();
    };
    await this.step();
    await reached;
    view.apply = apply;
  }

  send(account: PrivateKeyAccount, call: Call): Promise<TransactionReceipt> {
    return this.mining(sendTransaction(this.client(account), call));
  }

  /** A bonded runner and a base model at these prices, in wei per 1,000 tokens. */
  async prepare(inputPrice: bigint, outputPrice: bigint): Promise<bigint> {
    await this.send(this.runner, { ...contracts.staking, functionName: 'bond', value: 10n ** 18n });
    const weightsHash = `0x${await hashFile(join(this.base, 'model.safetensors'))}` as const;
    const { logs } = await this.send(this.runner, {
      ...contracts.models,
      functionName: 'registerBaseModel',
      args: ['base', 'llama', weightsHash, 'here', inputPrice, outputPrice],
    });
    const [registered] = parseEventLogs({ abi: modelsAbi, eventName: 'BaseModelRegistered', logs });
    const modelId = registered?.args.modelId ?? 0n;
    const deploy = { ...contracts.models, functionName: 'deploy', args: [modelId, inputPrice, outputPrice] };
    if (!this.view.models.get(modelId)?.deployed) await this.send(this.runner, deploy);
    return modelId;
  }

  async close(): Promise<void> {
    for (const close of this.#closing.reverse()) await close();
  }
}
