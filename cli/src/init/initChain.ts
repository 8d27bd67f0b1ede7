import { join } from 'node:path';
import { toRollupJson } from '@openledger/chain-config';
import { OpenLedgerError } from '@openledger/kit';
import { genesisHeader, writeGethGenesis } from '@openledger/node';
import { type Chain, createPublicClient, createWalletClient, defineChain, type Hex, http } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { type ChainFile, writeChainFile, writeFileAtomic } from '../chainFile.ts';
import { isDevChain, refuseWellKnown } from '../signingKey.ts';
import { deployL1 } from './deployL1.ts';
import { checkSameChain, type Journal, readJournal, writeJournal } from './journal.ts';
import { type L1Start, makeChainFile } from './makeChainFile.ts';
import { chainParameters, checkUnbonding, deploymentInputs, type InitOptions, printable } from './parameters.ts';
import { planL1 } from './planL1.ts';

export type InitializedChain = {
  readonly chain: ChainFile;
  readonly genesisHash: Hex;
  readonly files: {
    readonly chain: string;
    readonly rollup: string;
    readonly genesis: string;
    readonly journal: string;
  };
};

/**
 * Makes a chain: L1 contracts, genesis, and the files that nodes start from. Run again with the same options it goes on where
 * it was, and changes nothing when it was done.
 * @throws KEY_WELL_KNOWN, UNBONDING_TOO_SHORT, CHAIN_EXISTS, L1_DEPLOYMENT_FAILED, L1_START_REORGED
 */
export const initChain = async (options: InitOptions): Promise<InitializedChain> => {
  const account = privateKeyToAccount(options.key);
  const client = createPublicClient({ transport: http(options.l1Url) });
  const l1ChainId = await client.getChainId();
  const roles = {
    deployer: account.address,
    batcher: options.batcher ?? account.address,
    proposer: options.proposer ?? account.address,
    governance: options.governance ?? account.address,
  };
  refuseWellKnown(roles, l1ChainId);
  checkUnbonding(options);
  const files = {
    chain: join(options.out, 'chain.json'),
    rollup: join(options.out, 'rollup.json'),
    genesis: join(options.out, 'genesis.json'),
    journal: join(options.out, 'deployments.json'),
  };
  const parameters = chainParameters(options, roles, l1ChainId);
  let journal = readJournal(files.journal);
  if (journal) checkSameChain(journal, printable(options, roles, l1ChainId), account.address);
  if (!journal) {
    const start = await client.getBlock({ blockTag: isDevChain(l1ChainId) ? 'latest' : 'finalized' });
    const firstNonce = await client.getTransactionCount({ address: account.address });
    journal = {
      parameters: printable(options, roles, l1ChainId),
      deployer: account.address,
      firstNonce,
      start: { hash: start.hash, number: `${start.number}`, timestamp: `${start.timestamp}` },
      contracts: planL1(deploymentInputs(options, roles, start), firstNonce).contracts,
      transactions: {},
      complete: false,
    };
    writeJournal(files.journal, journal);
  }
  const start = startOf(journal);
  const plan = planL1(deploymentInputs(options, roles, start), journal.firstNonce);
  if (!journal.complete) {
    const wallet = createWalletClient({
      account,
      chain: l1Chain(l1ChainId, options.l1Url),
      transport: http(options.l1Url),
    });
    options.say(`L1 ${l1ChainId}: ${plan.steps.length} transactions from ${account.address}`);
    const sent: Record<string, Hex> = { ...journal.transactions };
    await deployL1(plan, {
      client,
      wallet,
      ...(options.pollInterval === undefined ? {} : { pollInterval: options.pollInterval }),
      onSent: (step, hash) => {
        sent[`${step.nonce} ${step.name}`] = hash;
        writeJournal(files.journal, { ...(journal as Journal), transactions: sent });
        options.say(`  ${step.name} ${hash}`);
      },
    });
    journal = { ...journal, transactions: sent };
  }
  await checkStart(start, async (number) => (await client.getBlock({ blockNumber: number })).hash);
  const chain = await makeChainFile(parameters, start, plan.contracts);
  const { hash } = await genesisHeader(chain.genesis);
  const config = {
    ...chain.genesis.config,
    genesis: { ...chain.genesis.config.genesis, l2: { hash, number: 0n }, l2Time: chain.genesis.timestamp },
  };
  writeChainFile(files.chain, chain);
  writeFileAtomic(files.rollup, `${JSON.stringify(toRollupJson(config), null, 2)}\n`);
  writeFileAtomic(files.genesis, writeGethGenesis(chain.genesis));
  writeJournal(files.journal, { ...journal, complete: true });
  return { chain, genesisHash: hash, files };
};

const startOf = ({ start }: Journal): L1Start => ({
  hash: start.hash,
  number: BigInt(start.number),
  timestamp: BigInt(start.timestamp),
});

const checkStart = async (start: L1Start, hashAt: (number: bigint) => Promise<Hex>): Promise<void> => {
  const hash = await hashAt(start.number);
  if (hash === start.hash) return;
  throw new OpenLedgerError(`L1 block ${start.number}, which L2 starts from, was replaced`, {
    code: 'L1_START_REORGED',
    handling: 'fatal',
    action: 'Start again in an empty folder, with a deployer that has not been used.',
    meta: { expected: start.hash, actual: hash },
  });
};

const l1Chain = (id: number, url: string): Chain =>
  defineChain({
    id,
    name: `L1 ${id}`,
    nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
    rpcUrls: { default: { http: [url] } },
  });
