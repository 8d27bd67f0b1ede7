import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { activeFork, parseRollupJson } from '@openledger/chain-config';
import type { LevelDb } from '@openledger/event-log';
import { MemoryLevel } from 'memory-level';
import { type Hex, hexToBytes } from 'viem';
import { encodeExtraData } from '../../../node/src/execution/baseFee.ts';
import { OpRules } from '../../../node/src/execution/opRules.ts';
import { type Header, hashHeader } from '../../../node/src/primitives/header.ts';
import { StateStore } from '../../../node/src/state/stateStore.ts';
import type { Suite } from '../suite.ts';
import { expectEqual } from './support/expect.ts';

type Fixture = {
  readonly rollup_config: unknown;
  readonly parent_header: Readonly<Record<string, Hex>>;
  readonly executing_payload: {
    readonly timestamp: Hex;
    readonly prevRandao: Hex;
    readonly suggestedFeeRecipient: Hex;
    readonly parentBeaconBlockRoot?: Hex;
    readonly transactions: readonly Hex[];
    readonly gasLimit: Hex;
    readonly eip1559Params?: Hex;
    readonly minBaseFee?: number | Hex;
  };
  readonly expected_block_hash: Hex;
};

const quantities = [
  'difficulty',
  'number',
  'gasLimit',
  'gasUsed',
  'timestamp',
  'baseFeePerGas',
  'blobGasUsed',
  'excessBlobGas',
];

const toHeader = (json: Fixture['parent_header']): Header =>
  Object.fromEntries(
    Object.entries(json).map(([name, value]) => [name, quantities.includes(name) ? BigInt(value) : value]),
  ) as unknown as Header;

/** The node database's keys: `s` before a node's hash, and before `c` and a code's hash. */
const openState = async (preimages: Readonly<Record<string, Hex>>): Promise<StateStore> => {
  const db = new MemoryLevel<Uint8Array, Uint8Array>({ keyEncoding: 'view', valueEncoding: 'view' });
  const ops = Object.entries(preimages).flatMap(([hash, value]) => {
    const key = Buffer.from(hash.replace(/^0x/, ''), 'hex');
    const put = (prefix: string) => ({
      type: 'put' as const,
      key: new Uint8Array(Buffer.concat([Buffer.from(prefix), key])),
      value: hexToBytes(`0x${value.replace(/^0x/, '')}`),
    });
    return [put('s'), put('sc')];
  });
  await db.batch(ops);
  return new StateStore(db as unknown as LevelDb);
};

const execute = async (folder: string): Promise<void> => {
  const fixture = JSON.parse(readFileSync(join(folder, 'fixture.json'), 'utf8')) as Fixture;
  const states = await openState(
    JSON.parse(gunzipSync(readFileSync(join(folder, 'preimages.json.gz'))).toString('utf8')),
  );
  const config = parseRollupJson(fixture.rollup_config);
  const rules = new OpRules(config);
  const parent = toHeader(fixture.parent_header);
  const payload = fixture.executing_payload;
  const time = { number: parent.number + 1n, timestamp: BigInt(payload.timestamp) };
  const params = BigInt(payload.eip1559Params ?? 0);
  const execution = await rules.begin({
    view: await states.at(parent.stateRoot, rules.commonAt(time)),
    parent,
    attributes: {
      timestamp: time.timestamp,
      gasLimit: BigInt(payload.gasLimit),
      prevRandao: payload.prevRandao,
      feeRecipient: payload.suggestedFeeRecipient,
      ...(payload.parentBeaconBlockRoot ? { parentBeaconBlockRoot: payload.parentBeaconBlockRoot } : {}),
      extraData: encodeExtraData(activeFork(config.forks, time.timestamp), config.eip1559, {
        eip1559Denominator: Number(params >> 32n),
        eip1559Elasticity: Number(params & 0xffff_ffffn),
        minBaseFee: BigInt(payload.minBaseFee ?? 0),
      }),
    },
    blockHashes: { hashOf: async (number) => (number === parent.number ? hashHeader(parent) : undefined) },
  });
  for (const raw of payload.transactions) await execution.apply(rules.decodeTransaction(raw, time));
  const { hash } = await execution.seal();
  expectEqual(hash, fixture.expected_block_hash, 'block hash');
};

/** Real blocks of real rollups over the state that they touched: the hash covers state, receipts, gas and header. */
export const opBlocks: Suite = {
  name: 'op-blocks',
  cases: async (fixtures) => {
    const root = join(fixtures, 'kona-exec');
    if (!existsSync(root)) return undefined;
    return readdirSync(root)
      .sort()
      .filter((name) => existsSync(join(root, name, 'fixture.json')))
      .map((name) => ({ name, run: () => execute(join(root, name)) }));
  },
};
