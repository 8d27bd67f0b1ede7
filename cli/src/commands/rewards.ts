import { createRemoteReader } from '@openledger/event-log';
import { type ConfigOf, type ConfigTable, OpenLedgerError, parseInteger, parseText } from '@openledger/kit';
import { type Credit, computeEpoch, verifyEpoch } from '@openledger/rewards';
import { readChainFile } from '../chainFile.ts';
import { defineCommand, shared } from '../options.ts';

const rewardsConfig = {
  chain: shared.chain,
  node: shared.node,
  epoch: { flag: 'epoch', description: 'epoch to verify', parse: parseInteger(1), default: 0 },
  account: { flag: 'account', description: 'account to explain', parse: parseText, default: '' },
} satisfies ConfigTable;

type Config = ConfigOf<typeof rewardsConfig>;

const contextOf = (config: Config) => {
  const chain = readChainFile(config.chain);
  return {
    reader: createRemoteReader({ url: config.node }),
    chainId: chain.genesis.config.l2ChainId,
    rules: { platform: chain.governance.toLowerCase() as `0x${string}` },
  };
};

/** `openledger rewards verify --epoch N`: recomputes the root from the event log; exit code 1 names the first difference. */
const verify = async (config: Config): Promise<void> => {
  if (config.epoch === 0) throw usage('--epoch N is required');
  const result = await verifyEpoch({ ...contextOf(config), epoch: BigInt(config.epoch) });
  const { root, total, toBlock, leaves } = result.ledger;
  console.log(
    JSON.stringify({
      epoch: config.epoch,
      ok: result.ok,
      toBlock: toBlock.toString(),
      root,
      total: total.toString(),
      accounts: leaves.length,
      ...(result.difference ? { difference: result.difference } : {}),
    }),
  );
  if (!result.ok) process.exitCode = 1;
};

/** `openledger rewards explain --account A`: every credit of an account up to the log's head. */
const explain = async (config: Config): Promise<void> => {
  if (!/^0x[0-9a-fA-F]{40}$/.test(config.account)) throw usage('--account 0x... is required');
  const shared = contextOf(config);
  const head = await shared.reader.head();
  const ledger = await computeEpoch({ ...shared, toBlock: head?.number ?? 0n });
  const account = config.account.toLowerCase();
  const credits = ledger.credits.filter((credit: Credit) => credit.account === account);
  for (const { role, amount, settlement, outputId, contributionIds } of credits) {
    const files = contributionIds.length > 0 ? ` for contributions ${contributionIds.join(', ')}` : '';
    console.log(`${amount} wei as ${role} of ${settlement}${outputId ? ` output ${outputId}` : ''}${files}`);
  }
  const total = credits.reduce((sum, { amount }) => sum + amount, 0n);
  console.log(JSON.stringify({ account, credits: credits.length, total: total.toString() }));
};

const usage = (message: string) =>
  new OpenLedgerError(message, { code: 'USAGE', handling: 'reject', action: 'See openledger rewards --help.' });

export const verifyCommand = defineCommand('recompute an epoch’s root from the event log', rewardsConfig, verify);
export const explainCommand = defineCommand('where an account’s rewards come from', rewardsConfig, explain);
