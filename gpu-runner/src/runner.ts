import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { contracts, createOpenLedgerClient } from '@openledger/client';
import { createRemoteReader } from '@openledger/event-log';
import {
  createLifecycle,
  createMetrics,
  describeError,
  isOpenLedgerError,
  type Logger,
  printableUrl,
} from '@openledger/kit';
import type { Account, Chain } from 'viem';
import { openAdminSocket } from './admin/adminSocket.ts';
import { jobRoutes } from './admin/jobAdmin.ts';
import { keyRoutes } from './admin/keyAdmin.ts';
import { serveAdmin } from './admin/serveAdmin.ts';
import { Auditor } from './audit/auditor.ts';
import { auditRoutes } from './audit/auditRoutes.ts';
import { rpcAuditSource } from './audit/auditSource.ts';
import { Transcripts } from './audit/transcripts.ts';
import { RunnerView } from './chain/runnerView.ts';
import { Transactor } from './chain/transactor.ts';
import { EngineProcess } from './engine/engineProcess.ts';
import { ApiKeys } from './gateway/apiKeys.ts';
import { startGateway } from './gateway/gateway.ts';
import { Inference } from './gateway/inference.ts';
import { type OperatorChannel, Payments } from './gateway/payments.ts';
import { Settler } from './gateway/settler.ts';
import { trainingRoutes } from './gateway/trainingRoutes.ts';
import { runIntake } from './intake.ts';
import { openJobQueue } from './jobs/jobQueue.ts';
import { LeaseKeeper } from './jobs/leaseKeeper.ts';
import { type FleetOptions, openTrainer } from './jobs/openTrainer.ts';
import { PausedJobs } from './jobs/pausedJobs.ts';
import { failTraining, runTraining } from './jobs/runTraining.ts';
import { TrainingControl } from './jobs/trainingControl.ts';
import { TrainingEstimates } from './jobs/trainingEstimates.ts';
import { TrainingEvents } from './jobs/trainingEvents.ts';
import { decide, validateContribution } from './jobs/validateContribution.ts';
import { databaseBackend } from './queue/backend.ts';
import { openRunnerDatabase } from './queue/database.ts';
import { lockRunner } from './queue/lockRunner.ts';
import { EngineGenerator } from './serving/engineGenerator.ts';
import { VllmGenerator } from './serving/vllmGenerator.ts';
import { ContentStore } from './store/contentStore.ts';
import { ModelLocator } from './store/modelLocator.ts';

export type RunnerOptions = {
  dataDir: string;
  /** The node's base URL: JSON-RPC and event feed. */
  nodeUrl: string;
  chain: Chain;
  account: Account;
  host: string;
  port: number;
  /** Folders of base models that this runner offers. */
  baseModels: readonly string[];
  /** Python interpreter with the engine's requirements, and the folder of its package. */
  python: string;
  engineDir: string;
  /** Memory that the engine's process may have; no limit when 0. */
  engineMemoryBytes: number;
  settleIntervalMs: number;
  /** Milliseconds added to this machine's clock to get the chain's; not 0 only on dev chains. */
  clockOffsetMs: number;
  /** Pays for calls with API keys; without it, keys are refused. */
  operator?: OperatorChannel;
  databaseUrl?: string;
  /** Machines that train for this runner; without them it trains itself. */
  fleet?: FleetOptions;
  /** How long after a crash the tasks of the process before are taken up. */
  queueLockMs?: number;
  /** Wei for a second of training, which estimates name; nobody is held to it. */
  trainingPrice: bigint;
  /** A vLLM server that answers instead of the engine. */
  vllmUrl?: string;
  /** URL at which others reach the gateway; announced on chain, where auditors look for it. */
  publicUrl?: string;
  /** Whether audited runners may be on this machine and in its network: on dev chains only. */
  auditPrivateEndpoints?: boolean;
};

/** Beyond two settlement intervals: so long may a commit take to get into a block. Milliseconds. */
const COMMIT_MARGIN_MS = 60_000;
const AUDIT_INTERVAL_MS = 5_000;

export type RunningRunner = { readonly url: string; close(): Promise<void> };

/** Composition root of the runner process. */
export const startRunner = async (options: RunnerOptions, { log }: { log: Logger }): Promise<RunningRunner> => {
  const lifecycle = createLifecycle(log);
  const metrics = createMetrics('openledger_runner');
  mkdirSync(options.dataDir, { recursive: true });
  const path = (name: string) => join(options.dataDir, name);
  try {
    const admin = await openAdminSocket(options.dataDir);
    lifecycle.add({ name: 'admin socket', close: admin.close });
    const database = await openRunnerDatabase({
      dataDir: path('database'),
      ...(options.databaseUrl ? { url: options.databaseUrl } : {}),
    });
    lifecycle.add({ name: 'database', close: database.close });
    const unlock = await lockRunner(database, options.account.address, (error) => {
      log.fatal({ err: error }, 'the lock on the database is lost; another runner may start');
      void lifecycle.close();
    });
    lifecycle.add({ name: 'lock', close: unlock });
    const apiKeys = new ApiKeys({ database, now: Date.now });
    const now = () => Date.now() + options.clockOffsetMs;
    const store = new ContentStore(path('files'));
    mkdirSync(path('files'), { recursive: true });
    const models = await ModelLocator.open(path('adapters'), options.baseModels);
    const view = new RunnerView();
    const client = createOpenLedgerClient({ chain: options.chain, account: options.account });
    const transactor = new Transactor(client);
    const engine = new EngineProcess({
      python: options.python,
      packageDir: options.engineDir,
      onExit: () => {
        inference.forgetLoaded();
        verifier.forget();
      },
      memoryBytes: options.engineMemoryBytes,
      log,
    });
    lifecycle.add({ name: 'engine', close: () => engine.close() });
    const payee = { chainId: options.chain.id, runner: options.account.address };
    const payments = new Payments({
      ...payee,
      database,
      view,
      now,
      commitMarginMs: 2 * options.settleIntervalMs + COMMIT_MARGIN_MS,
      ...(options.operator ? { operator: options.operator } : {}),
    });
    const verifier = new EngineGenerator(engine);
    const inference: Inference = new Inference({
      view,
      store,
      models,
      engine,
      generator: options.vllmUrl ? new VllmGenerator({ url: options.vllmUrl }) : verifier,
      payments,
      apiKeys,
      account: options.account,
      chainId: options.chain.id,
      database,
      indexDir: path('indexes'),
      log,
    });
    mkdirSync(path('indexes'), { recursive: true });
    let ready = false;

    const transcripts = new Transcripts(database);
    const workPrefix = `${options.chain.id}-${options.account.address.toLowerCase()}`;
    const trainer = await openTrainer(options.fleet, { store, models, engine, workDir: path('work'), lifecycle, log });
    const leases = new LeaseKeeper({ transactor, log });
    lifecycle.add({ name: 'leases', close: () => leases.close() });
    const paused = new PausedJobs(database);
    const events = new TrainingEvents({ database, log });
    lifecycle.add({ name: 'training events', close: () => events.flush() });
    const queue = await openJobQueue({
      backend: databaseBackend(database),
      runner: options.account.address,
      concurrency: 2,
      ...(options.queueLockMs ? { lockDuration: options.queueLockMs } : {}),
      log,
      handler: async ({ kind, id }, { signal }) => {
        if (kind === 'validate') {
          await validateContribution(BigInt(id), { view, store, engine, transactor, log });
          return;
        }
        await runTraining(BigInt(id), {
          view,
          store,
          models,
          trainer,
          transactor,
          transcripts,
          leases,
          paused,
          workPrefix,
          now,
          log,
          signal,
          leaving: lifecycle.signal,
          onEvent: (event) => events.record(BigInt(id), event),
        });
      },
      onDead: async ({ kind, id }, error) => {
        const job = kind === 'train' ? view.jobs.get(BigInt(id)) : undefined;
        if (job?.status === 'claimed' && job.runner === options.account.address.toLowerCase()) {
          leases.release(job.id);
          await failTraining(job.id, job.attempt, false, error, { transactor, log });
        } else if (kind === 'validate' && isOpenLedgerError(error, 'FILE_UNKNOWN')) {
          await decide(BigInt(id), { accepted: false, reason: 'the file was never uploaded' }, transactor);
        }
      },
    });
    lifecycle.add({ name: 'queue', close: queue.close });
    admin.serve(serveAdmin({ ...keyRoutes(apiKeys), ...jobRoutes(queue) }));

    const reader = createRemoteReader({
      url: options.nodeUrl,
      onRetry: (error) => log.warn({ reason: describeError(error) }, 'event feed interrupted'),
    });
    const intake = runIntake(
      { reader, view, queue, runner: options.account.address, onReady: () => (ready = true), now, log },
      lifecycle.signal,
    ).catch((error) => log.fatal({ err: error }, 'intake ended'));
    lifecycle.add({ name: 'intake', close: () => intake });

    const settler = new Settler({ database, view, transactor, log });
    const settling = settler.run(options.settleIntervalMs, lifecycle.signal);
    lifecycle.add({ name: 'settler', close: () => settling });

    const auditor = new Auditor({
      ...{ view, store, models, trainer, verifier, transactor, transcripts, workPrefix, now, log },
      attribution: inference.attribution,
      source: rpcAuditSource(client.public),
      account: options.account,
      chainId: options.chain.id,
      allowPrivate: options.auditPrivateEndpoints ?? false,
      signal: lifecycle.signal,
      ...(options.publicUrl ? { endpoint: options.publicUrl } : {}),
    });
    const auditing = auditor.run(AUDIT_INTERVAL_MS, lifecycle.signal);
    lifecycle.add({ name: 'auditor', close: () => auditing });

    const training = {
      view,
      store,
      events,
      control: new TrainingControl({ view, queue, paused, leases, transactor, log }),
      estimates: new TrainingEstimates({ view, store, models, engine }, options.trainingPrice),
      payee,
      now: Date.now,
    };
    const gateway = await startGateway({
      routes: (app) => {
        trainingRoutes(app, training);
        auditRoutes(app, { view, store, models, transcripts, payee, now });
      },
      inference,
      store,
      database,
      payee,
      host: options.host,
      port: options.port,
      now: Date.now,
      readiness: () => (ready ? [] : ['the event feed is not read to its end yet']),
      log,
      metrics,
    });
    lifecycle.add({ name: 'gateway', close: gateway.close });
    const bonded = await client.public.readContract({
      ...contracts.staking,
      functionName: 'isBonded',
      args: [options.account.address],
    });
    if (!bonded) log.warn({ runner: options.account.address }, 'not bonded yet: call Staking.bond before taking jobs');
    // The engine's first answer takes seconds (imports); better now than in the first request.
    void engine.request('hello', {}).then(
      (hello) => log.info({ hello }, 'engine is up'),
      (error) => log.error({ err: error }, 'engine did not start'),
    );
    log.info(
      { url: gateway.url, node: printableUrl(options.nodeUrl), runner: options.account.address },
      'runner is up',
    );
    return { url: gateway.url, close: lifecycle.close };
  } catch (error) {
    await lifecycle.close();
    throw error;
  }
};
