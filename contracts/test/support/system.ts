import type { Abi, Address, Hex } from 'viem';
import { concat, encodeAbiParameters, getAddress, keccak256, parseEther, stringToHex, toHex } from 'viem';
import * as generated from '../../ts/index.ts';
import { actorAbi, actorBytecode } from '../generated/Actor.ts';
import { testProxyBytecode } from '../generated/TestProxy.ts';
import { account, type Chain } from './chain.ts';
import { contractAt } from './contract.ts';

export const MIN_BOND = parseEther('10');
export const UNBONDING_SECONDS = 7n * 86_400n;
export const ROOT_BOND = parseEther('5');
export const DISPUTE_WINDOW = 3_600n;
export const REQUEST_FEE = parseEther('1');
export const RESPONSE_WINDOW = 600n;
export const CLOSE_DELAY = 3_600n;

export const AUDIT_SETTINGS = {
  inferenceRateBps: 5_000,
  trainingRateBps: 10_000,
  faultBps: 5_000,
  missBps: 100,
  beaconDelay: 3,
  reportSeconds: 600n,
  voteSeconds: 300n,
};

export const governance = account(0).address;
export const alice = account(1).address;
export const bob = account(2).address;
export const carol = account(3).address;
/** Bonded by `deploySystem`. */
export const runner = account(4).address;
export const otherRunner = account(5).address;

export type System = Awaited<ReturnType<typeof deploySystem>>;

/** All L2 contracts behind proxies, initialized as genesis does it, with two bonded runners. */
export async function deploySystem(chain: Chain) {
  const proxied = async <const abi extends Abi>(abi: abi, bytecode: Hex) => {
    const implementation = await create(chain, bytecode);
    const proxy = await create(
      chain,
      concat([testProxyBytecode, encodeAbiParameters([{ type: 'address' }], [implementation])]),
    );
    return { ...contractAt(chain, abi, proxy), implementation };
  };
  const datanets = await proxied(generated.datanetsAbi, generated.datanetsBytecode);
  const models = await proxied(generated.modelsAbi, generated.modelsBytecode);
  const jobs = await proxied(generated.jobsAbi, generated.jobsBytecode);
  const ledger = await proxied(generated.attributionLedgerAbi, generated.attributionLedgerBytecode);
  const rewards = await proxied(generated.rewardsAbi, generated.rewardsBytecode);
  const staking = await proxied(generated.stakingAbi, generated.stakingBytecode);
  const recompute = await proxied(generated.rewardRecomputeAbi, generated.rewardRecomputeBytecode);
  const disputes = await proxied(generated.rewardDisputesAbi, generated.rewardDisputesBytecode);
  const provenance = await proxied(generated.provenanceAbi, generated.provenanceBytecode);
  const audits = await proxied(generated.auditsAbi, generated.auditsBytecode);

  await models.send(governance, 'initialize', [staking.address, jobs.address]);
  await ledger.send(governance, 'initialize', [staking.address, jobs.address]);
  await staking.send(governance, 'initialize', [governance, MIN_BOND, UNBONDING_SECONDS, audits.address]);
  await audits.send(governance, 'initialize', [staking.address, ledger.address, AUDIT_SETTINGS]);
  await rewards.send(governance, 'initialize', [governance, disputes.address, ROOT_BOND, DISPUTE_WINDOW]);
  await provenance.send(governance, 'initialize', [models.address]);
  await recompute.send(governance, 'initialize', [
    {
      ledger: ledger.address,
      jobs: jobs.address,
      models: models.address,
      datanets: datanets.address,
      staking: staking.address,
      rewards: rewards.address,
    },
  ]);
  await disputes.send(governance, 'initialize', [
    rewards.address,
    ledger.address,
    recompute.address,
    REQUEST_FEE,
    RESPONSE_WINDOW,
  ]);
  await jobs.send(governance, 'initialize', [
    governance,
    {
      models: models.address,
      datanets: datanets.address,
      ledger: ledger.address,
      rewards: rewards.address,
      staking: staking.address,
    },
    CLOSE_DELAY,
  ]);
  await staking.send(runner, 'bond', [], MIN_BOND);
  await staking.send(otherRunner, 'bond', [], MIN_BOND);
  return { datanets, models, jobs, ledger, rewards, recompute, disputes, staking, provenance, audits };
}

export async function create(chain: Chain, bytecode: Hex, value = 0n): Promise<Address> {
  const { status, contractAddress } = await chain.send({ from: governance, data: bytecode, value });
  if (status !== 'success' || !contractAddress) throw new Error('the contract could not be created');
  return getAddress(contractAddress);
}

/** What an Actor does when it is paid; the order is that of its enum. */
export const receiveModes = { take: 0, revert: 1, burnGas: 2, callBack: 3 } as const;

export async function createActor(chain: Chain, balance = 0n) {
  const actor = contractAt(chain, actorAbi, await create(chain, actorBytecode));
  if (balance > 0n) await chain.send({ from: governance, to: actor.address, value: balance });
  return actor;
}

export function hashOf(text: string): Hex {
  return keccak256(stringToHex(text));
}

export function suite(name: string): Hex {
  return stringToHex(name, { size: 32 });
}

export function evaluation(name: string) {
  return {
    suite: suite(name),
    baseLossMicros: 2_000_000n,
    modelLossMicros: 1_500_000n,
    tokens: 4096,
    regressed: false,
    reportHash: hashOf(`report ${name}`),
  };
}

/** Any bytes will do on chain: the ledger doesn't read them. */
export const page = toHex('page');

export async function registerBase(system: System, owner: Address, name = 'tiny'): Promise<bigint> {
  const receipt = await system.models.send(owner, 'registerBaseModel', [
    name,
    'gpt2',
    hashOf(`weights of ${name}`),
    'ipfs://base',
    1n,
    2n,
  ]);
  return system.models.event(receipt, 'BaseModelRegistered').modelId;
}

/** A text datanet with one accepted file and one version. */
export async function publishDatanet(system: System, owner: Address): Promise<bigint> {
  const { datanets } = system;
  const created = await datanets.send(owner, 'createDatanet', ['poems', 0, 'public domain']);
  const { datanetId } = datanets.event(created, 'DatanetCreated');
  const submitted = await datanets.send(owner, 'submit', [datanetId, hashOf('file'), 3, 10, 'a.txt']);
  await datanets.send(owner, 'accept', [datanets.event(submitted, 'ContributionSubmitted').contributionId, 9000, 0n]);
  await datanets.send(owner, 'publishVersion', [datanetId]);
  return datanetId;
}
