import { createRemoteReader } from '@openledger/event-log';
import { type ConfigOf, type ConfigTable, OpenLedgerError, parseInteger, parseText, sleep } from '@openledger/kit';
import {
  describeExplanation,
  explainAccount,
  findProposal,
  lastFinalBlock,
  readEpochs,
  summaryOf,
  verifyEpoch,
  writeEpoch,
} from '@openledger/rewards';
import type { Address } from 'viem';
import { defineCommand, port } from '../options.ts';
import { readerContext, readerOptions, senderOptions } from '../rewards/context.ts';
import { publishedFiles } from '../rewards/publishedFiles.ts';
import { withVerifier } from '../rewards/withVerifier.ts';

const verifyConfig = {
  ...readerOptions,
  epoch: { flag: 'epoch', description: 'epoch to verify', parse: parseInteger(1), default: 0 },
  published: {
    flag: 'published',
    description: 'the proposer’s files: a folder, or the URL of its server; they tell which account and receipt differ',
    parse: parseText,
    default: '',
  },
  fromL1: {
    flag: 'from-l1',
    description: 'L1 RPC to derive the chain from first, trusting no node',
    parse: parseText,
    default: '',
  },
  beacon: {
    flag: 'l1.beacon',
    description: 'beacon API of L1; the RPC itself when empty',
    parse: parseText,
    default: '',
  },
  port: port('verifier.port', 'port of the node that derives', 8595),
} satisfies ConfigTable;

const PATIENCE_MS = 30 * 60_000;

/** `openledger rewards verify --epoch N`: recomputes everything; exit code 1 names the first difference. */
const verify = async (config: ConfigOf<typeof verifyConfig>): Promise<void> => {
  if (config.epoch === 0) throw usage('--epoch N is required');
  const epoch = BigInt(config.epoch);
  if (config.fromL1 === '') return report(config, epoch, readerContext(config));
  const { chain, fromL1: l1, beacon, port: rpcPort } = config;
  await withVerifier({ chain, l1, beacon: beacon || l1, port: rpcPort }, async (url, ready) => {
    await ready;
    const reader = createRemoteReader({ url });
    const deadline = Date.now() + PATIENCE_MS;
    while (!(await readEpochs(reader)).has(epoch)) {
      if (Date.now() > deadline) throw usage(`L1 holds no proposal of epoch ${epoch}`);
      await sleep(1_000);
    }
    await report(config, epoch, readerContext({ chain, node: url }));
  });
};

const report = async (
  config: ConfigOf<typeof verifyConfig>,
  epoch: bigint,
  { reader, chainId, rules }: ReturnType<typeof readerContext>,
): Promise<void> => {
  const published =
    config.published === '' ? undefined : await publishedFiles(config.published, await findProposal(reader, epoch));
  const { ok, ledger, difference } = await verifyEpoch({ reader, chainId, rules, epoch, published });
  console.log(JSON.stringify({ epoch: config.epoch, ok, ...summaryOf(ledger), ...(difference ? { difference } : {}) }));
  if (!ok) process.exitCode = 1;
};

const explainConfig = {
  ...readerOptions,
  account: { flag: 'account', description: 'account to explain', parse: parseText, default: '' },
} satisfies ConfigTable;

/** `openledger rewards explain --account A`: every credit of an account up to the log's head. */
const explain = async (config: ConfigOf<typeof explainConfig>): Promise<void> => {
  if (!/^0x[0-9a-fA-F]{40}$/.test(config.account)) throw usage('--account 0x... is required');
  const { reader, rules } = readerContext(config);
  const found = await explainAccount(reader, config.account as Address, rules);
  for (const explanation of found) console.log(describeExplanation(explanation));
  const total = found.reduce((sum, { amount }) => sum + amount, 0n);
  console.log(JSON.stringify({ account: config.account, credits: found.length, total: total.toString() }));
};

const publishConfig = {
  ...readerOptions,
  dataDir: senderOptions.dataDir,
  epoch: {
    flag: 'epoch',
    description: 'an epoch that was proposed already; 0 for what has been settled since the last final one',
    parse: parseInteger(0),
    default: 0,
  },
} satisfies ConfigTable;

/** `openledger rewards publish`: computes an epoch and writes its files; sends nothing. */
const publish = async (config: ConfigOf<typeof publishConfig>): Promise<void> => {
  const { reader, rules, chainId } = readerContext(config);
  const blocks =
    config.epoch > 0
      ? await findProposal(reader, BigInt(config.epoch))
      : { fromBlock: await lastFinalBlock(reader), toBlock: (await reader.head())?.number ?? 0n };
  const { fromBlock, toBlock } = blocks;
  const { epoch, folder } = await writeEpoch({ reader, rules, chainId, fromBlock, toBlock }, config.dataDir);
  console.log(JSON.stringify({ folder, ...summaryOf(epoch) }));
};

const usage = (message: string) =>
  new OpenLedgerError(message, { code: 'USAGE', handling: 'reject', action: 'See openledger help.' });

export const verifyCommand = defineCommand('recompute an epoch from the event log, or from L1', verifyConfig, verify);
export const explainCommand = defineCommand(
  'which outputs and files an account’s rewards come from',
  explainConfig,
  explain,
);
export const publishCommand = defineCommand('write an epoch’s files for distributors', publishConfig, publish);
