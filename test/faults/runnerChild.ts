import { readFileSync } from 'node:fs';
import { openLedgerChain } from '@openledger/chain-config';
import { startRunner } from '@openledger/gpu-runner';
import { createLogger } from '@openledger/kit';
import { privateKeyToAccount } from 'viem/accounts';

/** A runner as `openledger runner` composes it, but for short intervals: a process that a test can kill. */
export type ChildOptions = {
  dataDir: string;
  nodeUrl: string;
  chainId: number;
  l1ChainId: number;
  privateKey: `0x${string}`;
  port: number;
  baseModel: string;
  python: string;
  engineDir: string;
  clockOffsetMs: number;
};

const options = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as ChildOptions;
const { nodeUrl, chainId: id, l1ChainId, privateKey, baseModel, ...rest } = options;
const log = createLogger({ name: 'runner', level: 'warn' });
await startRunner(
  {
    ...rest,
    nodeUrl,
    chain: openLedgerChain({ id, name: 'faults', rpcUrl: nodeUrl, l1ChainId }),
    account: privateKeyToAccount(privateKey),
    host: '127.0.0.1',
    baseModels: [baseModel],
    engineMemoryBytes: 0,
    settleIntervalMs: 1_000,
    queueLockMs: 2_000,
    trainingPrice: 1n,
  },
  { log },
);
