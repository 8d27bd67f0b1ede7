import { fileURLToPath } from 'node:url';
import { openLedgerChain } from '@openledger/chain-config';
import { defaultCacheDir, prepareVenv, startRunner } from '@openledger/gpu-runner';
import {
  type ConfigOf,
  type ConfigTable,
  createLogger,
  type LogLevel,
  parseInteger,
  parseText,
  parseUrl,
} from '@openledger/kit';
import { privateKeyToAccount } from 'viem/accounts';
import { readChainFile } from '../chainFile.ts';
import { defineCommand, list, port, shared } from '../options.ts';
import { readKey } from '../signingKey.ts';
import { runUntilStopped } from './runUntilStopped.ts';

const parseBackend = (text: string): 'engine' | 'vllm' => {
  if (text === 'engine' || text === 'vllm') return text;
  throw new TypeError('expected engine or vllm');
};

const runnerConfig = {
  chain: shared.chain,
  dataDir: {
    flag: 'datadir',
    description: 'folder of files, adapters and the queue',
    parse: parseText,
    default: '.openledger/runner',
  },
  node: shared.node,
  host: { flag: 'gateway.addr', description: 'address to listen on', parse: parseText, default: '127.0.0.1' },
  port: port('gateway.port', 'port for the OpenAI-compatible API and uploads', 8000),
  keyFile: {
    flag: 'account.key-file',
    description: 'file with the runner’s private key (mode 0600): hex, or a keystore',
    parse: parseText,
  },
  passwordFile: {
    flag: 'account.password-file',
    description: 'password of the keystore',
    parse: parseText,
    default: '',
  },
  baseModels: {
    flag: 'base-models',
    description: 'folders of base models, comma separated',
    parse: list,
    default: ['gpu-runner/models/openledger-small'],
  },
  settleInterval: {
    flag: 'settle-interval',
    description: 'milliseconds between settlements',
    parse: parseInteger(100),
    default: 60_000,
  },
  cacheDir: {
    flag: 'cache-dir',
    description: 'folder for the engine’s Python environment',
    parse: parseText,
    default: '',
  },
  python: {
    flag: 'python',
    description: 'interpreter that has the engine’s requirements; made when empty',
    parse: parseText,
    default: '',
  },
  queueUrl: {
    flag: 'queue.url',
    description: 'PostgreSQL URL for the queue; embedded when empty',
    parse: parseText,
    default: '',
    secret: true,
  },
  keysChannel: {
    flag: 'keys.channel',
    description: 'channel to this runner that pays for calls with API keys; none are served when 0',
    parse: parseInteger(0),
    default: 0,
  },
  keysAccountFile: {
    flag: 'keys.account-key-file',
    description: 'key of that channel’s payer (as account.key-file); the runner’s own when empty',
    parse: parseText,
    default: '',
  },
  keysPasswordFile: {
    flag: 'keys.account-password-file',
    description: 'password of that keystore',
    parse: parseText,
    default: '',
  },
  servingBackend: {
    flag: 'serving.backend',
    description: 'what answers: engine, or vllm (the server at serving.vllm-url)',
    parse: parseBackend,
    default: 'engine',
  },
  vllmUrl: {
    flag: 'serving.vllm-url',
    description: 'vLLM’s URL, started with --enable-lora and VLLM_ALLOW_RUNTIME_LORA_UPDATING=True',
    parse: parseUrl,
    default: 'http://127.0.0.1:8001',
  },
  clockOffset: shared.clockOffset,
  logLevel: shared.logLevel,
} satisfies ConfigTable;

const engineDir = fileURLToPath(new URL('../../../gpu-runner/engine', import.meta.url));

/** `openledger runner`: takes jobs, serves models. */
const run = async (config: ConfigOf<typeof runnerConfig>): Promise<void> => {
  const log = createLogger({ name: 'runner', level: config.logLevel as LogLevel });
  const chain = readChainFile(config.chain);
  const account = privateKeyToAccount(
    await readKey({
      keyFile: config.keyFile,
      passwordFile: config.passwordFile,
      key: '',
      flag: runnerConfig.keyFile.flag,
    }),
  );
  const payer = config.keysAccountFile
    ? privateKeyToAccount(
        await readKey({
          keyFile: config.keysAccountFile,
          passwordFile: config.keysPasswordFile,
          key: '',
          flag: runnerConfig.keysAccountFile.flag,
        }),
      )
    : account;
  const python =
    config.python ||
    (await prepareVenv({
      requirements: `${engineDir}/requirements.txt`,
      cacheDir: config.cacheDir || defaultCacheDir(process.env),
      onProgress: (line) => log.info({ progress: line }, 'engine environment'),
    }));
  const runner = await startRunner(
    {
      dataDir: config.dataDir,
      nodeUrl: config.node,
      chain: openLedgerChain({
        id: chain.genesis.config.l2ChainId,
        name: chain.name,
        rpcUrl: config.node,
        l1ChainId: chain.genesis.config.l1ChainId,
      }),
      account,
      host: config.host,
      port: config.port,
      baseModels: config.baseModels,
      python,
      engineDir,
      settleIntervalMs: config.settleInterval,
      clockOffsetMs: config.clockOffset,
      ...(config.keysChannel ? { operator: { channelId: BigInt(config.keysChannel), account: payer } } : {}),
      ...(config.servingBackend === 'vllm' ? { vllmUrl: config.vllmUrl } : {}),
      ...(config.queueUrl ? { databaseUrl: config.queueUrl } : {}),
    },
    { log },
  );
  await runUntilStopped(runner, log);
};

export const command = defineCommand('a runner: trains, serves, attributes', runnerConfig, run);
