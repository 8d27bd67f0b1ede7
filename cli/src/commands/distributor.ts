import { contracts } from '@openledger/client';
import {
  type ConfigOf,
  type ConfigTable,
  createLogger,
  describeError,
  type Logger,
  type LogLevel,
  parseInteger,
  parseText,
  sleep,
} from '@openledger/kit';
import { createDistributionServer, Distributor, Watcher } from '@openledger/rewards';
import { defineCommand, port, shared } from '../options.ts';
import { readerContext, readerOptions, senderContext, senderOptions } from '../rewards/context.ts';
import { publishedFiles } from '../rewards/publishedFiles.ts';
import { runUntilStopped } from './runUntilStopped.ts';

const pollInterval = { flag: 'poll-interval', description: 'milliseconds', parse: parseInteger(50), default: 12_000 };
const depth = {
  flag: 'depth',
  description: 'blocks on top of what an epoch counts',
  parse: parseInteger(0),
  default: 10,
};

/** Steps until it is stopped; a step that fails is tried again. */
const keepStepping = (step: () => Promise<string>, interval: number, log: Logger) => {
  const stopped = new AbortController();
  const running = (async () => {
    while (!stopped.signal.aborted) {
      const done = await step().catch((error) => {
        log.error({ reason: describeError(error) }, 'step failed');
        return 'failed';
      });
      if (done === 'nothing' || done === 'waiting' || done === 'right' || done === 'failed') {
        await sleep(interval, stopped.signal).catch(() => undefined);
      }
    }
  })();
  return {
    close: async () => {
      stopped.abort();
      await running;
    },
  };
};

const proposeConfig = { ...senderOptions, depth, pollInterval } satisfies ConfigTable;

/** `openledger rewards propose`: proposes epochs with a bond, shows what it is asked for, finalizes; until it is stopped. */
const propose = async (config: ConfigOf<typeof proposeConfig>): Promise<void> => {
  const { access, log } = await senderContext('distributor', config);
  const distributor = new Distributor({ access, dataDir: config.dataDir, depth: BigInt(config.depth), log });
  await runUntilStopped(
    keepStepping(() => distributor.step(), config.pollInterval, log),
    log,
  );
};

const watchConfig = {
  ...senderOptions,
  published: {
    flag: 'published',
    description: 'the proposer’s files: a folder, or the URL of its server',
    parse: parseText,
    default: 'http://127.0.0.1:4100',
  },
  pollInterval,
} satisfies ConfigTable;

/** `openledger rewards watch`: recomputes every proposed epoch and challenges what is wrong; until it is stopped. */
const watch = async (config: ConfigOf<typeof watchConfig>): Promise<void> => {
  const { access, log } = await senderContext('watcher', config);
  const published = (proposal: Parameters<typeof publishedFiles>[1]) =>
    publishedFiles(config.published, proposal).catch((error) => {
      log.warn({ reason: describeError(error) }, 'the proposer’s files can’t be had');
      return undefined;
    });
  const watcher = new Watcher({ access, published, log });
  await runUntilStopped(
    keepStepping(() => watcher.step(), config.pollInterval, log),
    log,
  );
};

const finalizeConfig = {
  ...senderOptions,
  epoch: { flag: 'epoch', description: 'epoch whose window is over', parse: parseInteger(1) },
} satisfies ConfigTable;

/** `openledger rewards finalize --epoch N`: anyone may. */
const finalize = async (config: ConfigOf<typeof finalizeConfig>): Promise<void> => {
  const { access } = await senderContext('distributor', config);
  await access.send({ ...contracts.rewards, functionName: 'finalize', args: [BigInt(config.epoch)] });
  console.log(JSON.stringify({ epoch: config.epoch, final: true }));
};

const serveConfig = {
  ...readerOptions,
  dataDir: senderOptions.dataDir,
  host: { flag: 'rewards.addr', description: 'address to listen on', parse: parseText, default: '127.0.0.1' },
  port: port('rewards.port', 'port for epochs, their files and proofs', 4_100),
  logLevel: shared.logLevel,
} satisfies ConfigTable;

/** `openledger rewards serve`: what distributors read, by REST. */
const serve = async (config: ConfigOf<typeof serveConfig>): Promise<void> => {
  const log = createLogger({ name: 'rewards', level: config.logLevel as LogLevel });
  const context = readerContext(config);
  const server = createDistributionServer({
    dataDir: config.dataDir,
    chainId: context.chainId,
    claimed: (account) =>
      context.public.readContract({ ...contracts.rewards, functionName: 'claimed', args: [account] }),
  });
  await server.listen({ host: config.host, port: config.port });
  log.info({ url: `http://${config.host}:${config.port}/epochs` }, 'serving');
  await runUntilStopped({ close: () => server.close() }, log);
};

export const proposeCommand = defineCommand('propose epochs, answer for them, finalize', proposeConfig, propose);
export const watchCommand = defineCommand('challenge wrong epochs', watchConfig, watch);
export const finalizeCommand = defineCommand('finalize an epoch', finalizeConfig, finalize);
export const serveCommand = defineCommand('serve epochs, files and proofs', serveConfig, serve);
