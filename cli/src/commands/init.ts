import { type ConfigOf, type ConfigTable, parseHex, parseInteger, parseText, printableUrl } from '@openledger/kit';
import { type Address, parseEther } from 'viem';
import { type InitializedChain, initChain } from '../init/initChain.ts';
import { defineCommand, shared } from '../options.ts';
import { readKey } from '../signingKey.ts';

const address = (flag: string, description: string) => ({
  flag,
  description,
  parse: (text: string): Address | undefined => (text === '' ? undefined : parseHex(20)(text)),
  default: undefined,
});
const seconds = (flag: string, description: string, fallback: number) => ({
  flag,
  description,
  parse: parseInteger(1),
  default: fallback,
});
const open = (flag: string, description: string, fallback: string) => ({
  flag,
  description,
  parse: parseEther,
  default: parseEther(fallback),
});

const basisPoints = (flag: string, description: string, fallback: number) => ({
  flag,
  description,
  parse: parseInteger(0, 10_000),
  default: fallback,
});

const DAY = 86_400;

const initConfig = {
  l1: shared.l1,
  chainId: { flag: 'chain-id', description: 'chain id of the new L2', parse: parseInteger(1) },
  name: { flag: 'name', description: 'name of the new chain', parse: parseText },
  out: { flag: 'out', description: 'folder for the chain’s files; a second run goes on there', parse: parseText },
  deployerKeyFile: {
    flag: 'deployer-key-file',
    description: 'private key that pays on L1: hex, or a keystore',
    parse: parseText,
    default: '',
  },
  deployerPasswordFile: {
    flag: 'deployer-password-file',
    description: 'password of the keystore',
    parse: parseText,
    default: '',
  },
  deployerKey: {
    flag: 'deployer-key',
    description: 'the key itself; only in the environment, flags are seen by everybody',
    parse: parseText,
    default: '',
    secret: true,
  },
  batcher: address('batcher', 'account that sends batches (the deployer where not given)'),
  proposer: address('proposer', 'account that proposes outputs (the deployer where not given)'),
  governance: address('governance', 'owner of the contracts (the deployer where not given)'),
  open: address('open', 'ERC-20 on L1 that is L2’s coin (a new OPEN where not given)'),
  blockTime: seconds('block-time', 'seconds between L2 blocks', 2),
  submissionInterval: seconds('submission-interval', 'L2 blocks between proposed outputs', 1_800),
  finalizationPeriod: seconds('finalization-period', 'seconds in which an output can be challenged', 7 * DAY),
  minBond: open('min-bond', 'OPEN that a runner bonds at least', '1000'),
  unbonding: seconds('unbonding', 'seconds until a bond that is withdrawn is free', 7 * DAY),
  rewardBond: open('reward-bond', 'OPEN that a proposer of a reward root bonds', '1000'),
  disputeWindow: seconds('dispute-window', 'seconds in which a reward root can be challenged', DAY),
  rewardRequestFee: open('reward-request-fee', 'OPEN for asking a proposer to show a part of its epoch', '1'),
  rewardResponseWindow: seconds('reward-response-window', 'seconds in which it has to be shown', 3_600),
  closeDelay: seconds('close-delay', 'seconds between asking to close a channel and its end', 3_600),
  auditInferenceRate: basisPoints('audit-inference-rate', 'basis points of the answers that are computed again', 100),
  auditTrainingRate: basisPoints('audit-training-rate', 'basis points of the trainings that are computed again', 500),
  auditFault: basisPoints('audit-fault', 'basis points of the least bond that a wrong output costs', 5_000),
  auditMiss: basisPoints('audit-miss', 'basis points of the least bond that a missing report or vote costs', 100),
  auditBeaconDelay: {
    flag: 'audit-beacon-delay',
    description: 'L2 blocks between a batch and the block whose randomness draws from it',
    parse: parseInteger(1, 2 ** 32 - 1),
    default: 300,
  },
  auditReport: seconds('audit-report', 'seconds in which an auditor has to report', DAY),
  auditVote: seconds('audit-vote', 'seconds in which jurors have to vote', DAY),
} satisfies ConfigTable;

/** `openledger init`: L1 contracts, genesis and configuration of a new chain. */
const run = async (config: ConfigOf<typeof initConfig>): Promise<void> => {
  const key = await readKey({
    flag: initConfig.deployerKeyFile.flag,
    key: config.deployerKey,
    keyFile: config.deployerKeyFile,
    passwordFile: config.deployerPasswordFile,
  });
  const { batcher, proposer, governance, open: token } = config;
  const made = await initChain({
    l1Url: config.l1,
    l2ChainId: config.chainId,
    name: config.name,
    out: config.out,
    key,
    ...(batcher ? { batcher } : {}),
    ...(proposer ? { proposer } : {}),
    ...(governance ? { governance } : {}),
    ...(token ? { open: token } : {}),
    blockTime: BigInt(config.blockTime),
    submissionInterval: BigInt(config.submissionInterval),
    finalizationPeriod: BigInt(config.finalizationPeriod),
    economics: {
      minBond: config.minBond,
      unbondingSeconds: BigInt(config.unbonding),
      rewardBond: config.rewardBond,
      disputeWindow: BigInt(config.disputeWindow),
      rewardRequestFee: config.rewardRequestFee,
      rewardResponseWindow: BigInt(config.rewardResponseWindow),
      closeDelay: BigInt(config.closeDelay),
      audits: {
        inferenceRateBps: config.auditInferenceRate,
        trainingRateBps: config.auditTrainingRate,
        faultBps: config.auditFault,
        missBps: config.auditMiss,
        beaconDelay: config.auditBeaconDelay,
        reportSeconds: BigInt(config.auditReport),
        voteSeconds: BigInt(config.auditVote),
      },
    },
    say: (line) => console.log(line),
  });
  for (const line of nextSteps(made, printableUrl(config.l1))) console.log(line);
};

const nextSteps = ({ chain, genesisHash, files }: InitializedChain, l1: string): string[] => {
  const flags = `--chain ${files.chain} --l1 ${l1}`;
  const { batcherAddress } = chain.genesis.config.genesis.systemConfig;
  return [
    '',
    `${chain.name}: chain ${chain.genesis.config.l2ChainId}, genesis ${genesisHash}`,
    `  ${files.chain}      for our nodes`,
    `  ${files.rollup}     for op-node`,
    `  ${files.genesis}    for op-geth`,
    `  ${files.journal}    L1 addresses and transactions`,
    '',
    'Next (here as npm run openledger -- ...; --l1.beacon URL reads batches that come as blobs):',
    `  sequencer  openledger node ${flags} --sequencer.enabled`,
    `  batcher    openledger batcher ${flags} --key-file FILE    the key of ${batcherAddress}`,
    `  proposer   openledger proposer ${flags} --key-file FILE`,
    `  verifier   openledger node ${flags} --verifier --datadir .openledger/verifier --rpc.port 8546`,
  ];
};

export const command = defineCommand('make a new chain: L1 contracts, genesis, configuration', initConfig, run);
