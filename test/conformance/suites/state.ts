import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Address, type Hex, keccak256, toRlp } from 'viem';
import { createBlockVm } from '../../../node/src/execution/createBlockVm.ts';
import { EthereumBlockExecution } from '../../../node/src/execution/ethereumBlockExecution.ts';
import { EthereumRules } from '../../../node/src/execution/ethereumRules.ts';
import { makeBlockZero } from '../../../node/src/genesis/blockZero.ts';
import { readGethGenesis } from '../../../node/src/genesis/gethGenesis.ts';
import { EMPTY_UNCLES_HASH, ZERO_HASH, ZERO_NONCE } from '../../../node/src/primitives/header.ts';
import type { Receipt } from '../../../node/src/primitives/receipt.ts';
import type { Case, Suite } from '../suite.ts';
import { draftPrecompiles } from './support/draftPrague.ts';
import { expectEqual } from './support/expect.ts';
import { type FixtureFile, filesInTar, parseJson } from './support/fixtureFiles.ts';
import { openStates } from './support/states.ts';

type Post = {
  readonly hash: Hex;
  readonly logs: Hex;
  readonly txbytes: Hex;
  readonly expectException?: string;
  readonly indexes: { readonly data: number; readonly gas: number; readonly value: number };
};
type StateTest = {
  readonly _info?: Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, Hex>>;
  readonly pre: Readonly<Record<string, unknown>>;
  readonly post: Readonly<Record<string, readonly Post[]>>;
};

/** geth's names of what each fork of the tests adds, oldest first. */
const steps: readonly (readonly [string, Readonly<Record<string, number>>])[] = [
  ['Frontier', {}],
  ['Homestead', { homesteadBlock: 0 }],
  ['EIP150', { eip150Block: 0 }],
  ['EIP158', { eip155Block: 0, eip158Block: 0 }],
  ['Byzantium', { byzantiumBlock: 0 }],
  ['Constantinople', { constantinopleBlock: 0 }],
  ['ConstantinopleFix', { petersburgBlock: 0 }],
  ['Istanbul', { istanbulBlock: 0, muirGlacierBlock: 0 }],
  ['Berlin', { berlinBlock: 0 }],
  ['London', { londonBlock: 0 }],
  ['Paris', { mergeForkBlock: 0, mergeNetsplitBlock: 0, terminalTotalDifficulty: 0 }],
  ['Shanghai', { shanghaiTime: 0 }],
  ['Cancun', { cancunTime: 0 }],
  ['Prague', { pragueTime: 0 }],
  ['Osaka', { osakaTime: 0 }],
];
const aliases: Readonly<Record<string, string>> = { Merge: 'Paris' };
const blobSchedule = {
  cancun: { target: 3, max: 6, baseFeeUpdateFraction: 3_338_477 },
  prague: { target: 6, max: 9, baseFeeUpdateFraction: 5_007_716 },
  osaka: { target: 6, max: 9, baseFeeUpdateFraction: 5_007_716 },
};

/** Prague as geth 1.14 had it: Cancun and a draft of EIP-2537. The tests say which tool filled them. */
class DraftPragueRules extends EthereumRules {
  override createVm(...[state, header, blockHashes]: Parameters<EthereumRules['createVm']>) {
    const common = this.commonAt(header);
    return createBlockVm({ common, precompiles: draftPrecompiles(common), state, header, blockHashes });
  }
}
const DRAFT_PRAGUE = 'draft Prague';
const EIP_2537 = 2537;
const ruleSetOf = (test: StateTest, fork: string): string => {
  const minor = /evm version 1\.(\d+)\./.exec(test._info?.['filling-rpc-server'] ?? '')?.[1];
  return fork === 'Prague' && minor !== undefined && Number(minor) < 15 ? DRAFT_PRAGUE : fork;
};

const rulesByFork = new Map<string, Promise<EthereumRules>>();
const rulesOf = (ruleSet: string): Promise<EthereumRules> => {
  const known = rulesByFork.get(ruleSet);
  if (known) return known;
  const isDraft = ruleSet === DRAFT_PRAGUE;
  const until = steps.findIndex(([name]) => name === (isDraft ? 'Cancun' : (aliases[ruleSet] ?? ruleSet)));
  if (until === -1) throw new Error(`no rules for fork ${ruleSet}`);
  const config = Object.assign({ chainId: 1, blobSchedule }, ...steps.slice(0, until + 1).map(([, fields]) => fields));
  const made = isDraft ? DraftPragueRules.fromGethConfig(config, [EIP_2537]) : EthereumRules.fromGethConfig(config);
  rulesByFork.set(ruleSet, made);
  return made;
};

const runTest = async (test: StateTest, fork: string, post: Post): Promise<void> => {
  const rules = await rulesOf(ruleSetOf(test, fork));
  const { env } = test;
  const number = (name: string): bigint => BigInt(env[name] ?? 0);
  const time = { number: number('currentNumber'), timestamp: number('currentTimestamp') };
  const common = rules.commonAt(time);
  const states = openStates();
  const genesis = readGethGenesis(
    JSON.stringify({ alloc: test.pre, timestamp: '0x0', difficulty: '0x0', gasLimit: '0x1', config: {} }),
  );
  const zero = await makeBlockZero(genesis, states, common);
  const header = {
    parentHash: ZERO_HASH,
    sha3Uncles: EMPTY_UNCLES_HASH,
    miner: env.currentCoinbase as Address,
    difficulty: common.consensusType() === 'pow' ? number('currentDifficulty') : 0n,
    gasLimit: number('currentGasLimit'),
    extraData: '0x' as Hex,
    mixHash: (env.currentRandom ?? ZERO_HASH) as Hex,
    nonce: ZERO_NONCE,
    ...time,
    ...(common.isActivatedEIP(1559) ? { baseFeePerGas: number('currentBaseFee') } : {}),
    ...(common.isActivatedEIP(4844) ? { excessBlobGas: number('currentExcessBlobGas') } : {}),
  };
  const view = await states.at(zero.header.stateRoot, common);
  const vm = await rules.createVm(view.manager, header, {
    hashOf: async (n) => keccak256(`0x${Buffer.from(String(n)).toString('hex')}`),
  });
  const execution = new EthereumBlockExecution(view, vm, header, { withdrawals: [] });
  let receipt: Receipt | undefined;
  let refusal: unknown;
  try {
    receipt = await execution.apply(rules.decodeTransaction(post.txbytes, time));
  } catch (error) {
    refusal = error;
  }
  if (post.expectException === undefined && refusal) throw refusal;
  expectEqual(receipt === undefined, post.expectException !== undefined, 'refused');
  const sealed = await execution.seal();
  expectEqual(sealed.header.stateRoot, post.hash, 'state root');
  const logs = (receipt?.logs ?? []).map(({ address, topics, data }) => [address, [...topics], data]);
  expectEqual(keccak256(toRlp(logs as Parameters<typeof toRlp>[0])), post.logs, 'hash of the logs');
};

const casesOf = (file: FixtureFile): Case[] =>
  Object.entries(parseJson<Record<string, StateTest>>(file)).flatMap(([name, test]) =>
    Object.entries(test.post ?? {}).flatMap(([fork, posts]) =>
      posts.map((post): Case => {
        const { data, gas, value } = post.indexes;
        return { name: `${file.path} ${name} ${fork} d${data}g${gas}v${value}`, run: () => runTest(test, fork, post) };
      }),
    ),
  );

/** Every state test in the archives: one transaction on a given state has to give the stated root and logs. */
export const state: Suite = {
  name: 'state',
  cases: async (fixtures) => {
    const root = join(fixtures, 'ethereum-tests');
    if (!existsSync(root)) return undefined;
    const cases: Case[] = [];
    for (const archive of readdirSync(root)
      .filter((name) => name.endsWith('.tar.gz'))
      .sort()) {
      for (const file of await filesInTar(join(root, archive), /StateTests\/.*\.json$/)) cases.push(...casesOf(file));
    }
    return cases.length === 0 ? undefined : cases;
  },
};
