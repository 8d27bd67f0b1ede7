import { openLedgerChain } from '@openledger/chain-config';
import { startRunner } from '@openledger/gpu-runner';
import {
  type ConfigOf,
  type ConfigTable,
  createLogger,
  type LogLevel,
  parseBoolean,
  parseInteger,
  parseText,
  parseUrl,
} from '@openledger/kit';
import { parseEther } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { readChainFile } from '../chainFile.ts';
import { defineCommand, list, port, shared } from '../options.ts';
import { readKey, readSecret } from '../signingKey.ts';
import { engineDir, engineMemoryOf, pythonOf, pythonOptions } from './engineEnvironment.ts';
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
  ...pythonOptions,
  databaseUrl: {
    flag: 'database.url',
    description: 'PostgreSQL URL for what was served, and for the queue; embedded when empty',
    parse: parseText,
    default: '',
    secret: true,
  },
  fleetQueueUrl: {
    flag: 'fleet.queue-url',
    description: 'Redis or PostgreSQL URL of the queue that workers train from; this machine trains when empty',
    parse: parseText,
    default: '',
    secret: true,
  },
  fleetHost: {
    flag: 'fleet.addr',
    description: 'address of the workers’ file server',
    parse: parseText,
    default: '127.0.0.1',
  },
  fleetPort: port('fleet.port', 'port of the workers’ file server', 8010),
  fleetTokenFile: {
    flag: 'fleet.token-file',
    description: 'file with the token that workers show, of 32 characters or more (mode 0600)',
    parse: parseText,
    default: '',
  },
  trainingPrice: {
    flag: 'training.price',
    description: 'OPEN for an hour of training, which estimates name',
    parse: parseText,
    default: '1',
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
  publicUrl: {
    flag: 'public-url',
    description:
      'URL at which others reach the gateway; announced on chain, and needed by whoever is bonded: auditors look there',
    parse: parseText,
    default: '',
  },
  auditPrivateEndpoints: {
    flag: 'audit.private-endpoints',
    description: 'audit runners on this machine and in its network, too; true on dev chains only',
    parse: parseBoolean,
    default: false,
  },
  clockOffset: shared.clockOffset,
  logLevel: shared.logLevel,
} satisfies ConfigTable;

const fleetOf = (config: ConfigOf<typeof runnerConfig>) => ({
  queueUrl: config.fleetQueueUrl,
  host: config.fleetHost,
  port: config.fleetPort,
  token: readSecret(config.fleetTokenFile, runnerConfig.fleetTokenFile.flag),
});

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
  const python = await pythonOf(config, log);
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
      engineMemoryBytes: engineMemoryOf(config),
      settleIntervalMs: config.settleInterval,
      clockOffsetMs: config.clockOffset,
      ...(config.keysChannel ? { operator: { channelId: BigInt(config.keysChannel), account: payer } } : {}),
      ...(config.databaseUrl ? { databaseUrl: config.databaseUrl } : {}),
      ...(config.fleetQueueUrl ? { fleet: fleetOf(config) } : {}),
      trainingPrice: parseEther(config.trainingPrice) / 3600n,
      ...(config.servingBackend === 'vllm' ? { vllmUrl: config.vllmUrl } : {}),
      ...(config.publicUrl ? { publicUrl: config.publicUrl } : {}),
      auditPrivateEndpoints: config.auditPrivateEndpoints,
    },
    { log },
  );
  await runUntilStopped(runner, log);
};

export const command = defineCommand('a runner: trains, serves, attributes', runnerConfig, run);
