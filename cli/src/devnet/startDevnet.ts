import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createLifecycle, type Logger } from '@openledger/kit';
import type { ChainFile } from '../chainFile.ts';
import { writeFileAtomic } from '../chainFile.ts';
import { chainFilePath, devnetPrivateKey, type Ports, portsAt, saveClock, startL1 } from './network.ts';
import { type Child, type ChildSpec, startChild } from './supervisor.ts';

export type Devnet = {
  readonly dataDir: string;
  readonly chain: ChainFile;
  readonly urls: { readonly l1: string; readonly l2: string; readonly graphql: string; readonly runner: string };
  readonly clockOffsetMs: number;
  /** Resolves once the runner answers: its Python environment may have to be made first. Rejects when it can't. */
  readonly runnerReady: Promise<void>;
  /** Resolves with a line that says which part has ended unasked. */
  readonly failed: Promise<string>;
  close(): Promise<void>;
};

const baseModel = fileURLToPath(new URL('../../../gpu-runner/models/openledger-small', import.meta.url));
const CLOCK_MS = 1_000;

/** Brings up L1, the node, the views and the runner, each a process of its own, as in production. */
export const startDevnet = async (options: {
  dataDir: string;
  portOffset: number;
  log: Logger;
  say(line: string): void;
  /** Parts to leave out, for measurements. */
  without?: readonly ('batcher' | 'proposer' | 'runner')[];
  /** PostgreSQL for the views; embedded where not given. */
  databaseUrl?: string | undefined;
}): Promise<Devnet> => {
  const dataDir = resolve(options.dataDir);
  const ports: Ports = portsAt(options.portOffset);
  const urls = {
    l1: `http://127.0.0.1:${ports.l1}`,
    l2: `http://127.0.0.1:${ports.l2}`,
    graphql: `http://127.0.0.1:${ports.graphql}/graphql`,
    runner: `http://127.0.0.1:${ports.runner}`,
  };
  const lifecycle = createLifecycle(options.log);
  const logDir = join(dataDir, 'logs');
  let reportFailure: (reason: string) => void = () => {};
  const failed = new Promise<string>((resolve) => {
    reportFailure = resolve;
  });
  const start = (spec: ChildSpec): Child => {
    const child = startChild(spec, logDir);
    lifecycle.add({ name: child.name, close: child.stop });
    void child.exited.then((reason) => {
      if (!lifecycle.signal.aborted) reportFailure(`${child.name} ended: ${reason}`);
    });
    return child;
  };
  try {
    const { anvil, chain, clockOffsetMs } = await startL1({ dataDir, port: ports.l1 });
    lifecycle.add({ name: 'l1', close: anvil.stop });
    options.say(`L1 (anvil) at ${urls.l1}`);
    const clock = setInterval(() => saveClock(dataDir, Date.now() + clockOffsetMs), CLOCK_MS);
    lifecycle.add({ name: 'clock', close: () => clearInterval(clock) });
    const keyFile = join(dataDir, 'keys', 'runner.key');
    writeFileAtomic(keyFile, devnetPrivateKey('runner'));

    const shared = { chain: chainFilePath(dataDir) };
    // The node comes first and alone: blocks are what everything else waits for.
    const node = start({
      name: 'node',
      command: 'node',
      flags: {
        ...shared,
        l1: urls.l1,
        datadir: join(dataDir, 'node'),
        'rpc.port': ports.l2,
        'l1.beacon': urls.l1,
        'l1.trustrpc': 'true',
        'sequencer.enabled': 'true',
        'sequencer.l1-confs': 0,
        'clock-offset': clockOffsetMs,
        'http.corsdomain': '*',
      },
      readyUrl: `${urls.l2}/healthz`,
      readyWithin: 60,
    });
    await node.ready;
    options.say(`L2 node at ${urls.l2} (chain id ${chain.genesis.config.l2ChainId})`);
    const wanted = (name: 'batcher' | 'proposer' | 'runner') => !options.without?.includes(name);
    const sender = (name: 'batcher' | 'proposer', flags: ChildSpec['flags']): void => {
      if (!wanted(name)) return;
      const file = join(dataDir, 'keys', `${name}.key`);
      writeFileAtomic(file, devnetPrivateKey(name));
      const places = { ...shared, node: urls.l2, l1: urls.l1, datadir: join(dataDir, name), 'key-file': file };
      start({
        name,
        command: name,
        flags: { ...places, 'num-confirmations': 1, 'poll-interval': 1_000, ...flags },
      });
    };
    // Calldata: what anvil saves of itself has no blobs in it.
    sender('batcher', { 'max-channel-duration': 2, 'data-availability-type': 'calldata' });
    sender('proposer', { 'allow-non-finalized': 'true' });
    const views = start({
      name: 'views',
      command: 'views',
      flags: {
        ...shared,
        node: urls.l2,
        'graphql.port': ports.graphql,
        ...(options.databaseUrl ? { 'database.url': options.databaseUrl } : { 'database.dir': join(dataDir, 'views') }),
      },
      readyUrl: `http://127.0.0.1:${ports.graphql}/healthz`,
      readyWithin: 60,
    });
    const startRunner = () =>
      start({
        name: 'runner',
        command: 'runner',
        flags: {
          ...shared,
          node: urls.l2,
          datadir: join(dataDir, 'runner'),
          'gateway.port': ports.runner,
          'account.key-file': keyFile,
          'base-models': baseModel,
          'settle-interval': 2_000,
          'clock-offset': clockOffsetMs,
          'public-url': urls.runner,
          'audit.private-endpoints': 'true',
        },
        readyUrl: `http://127.0.0.1:${ports.runner}/readyz`,
        readyWithin: 30 * 60,
        onProgress: (line) => options.say(`runner: ${line}`),
      });
    const runnerReady = wanted('runner') ? startRunner().ready : Promise.resolve();
    await views.ready;
    options.say(`GraphQL at ${urls.graphql}`);
    return {
      dataDir,
      chain,
      urls,
      clockOffsetMs,
      runnerReady,
      failed,
      close: lifecycle.close,
    };
  } catch (error) {
    await lifecycle.close();
    throw error;
  }
};
