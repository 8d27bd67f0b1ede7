import { opPredeploys, systemAddresses } from '@openledger/chain-config';
import { type Hex, keccak256, numberToHex } from 'viem';
import { TRANSACTION_DEPOSITED_TOPIC } from '../../../../node/src/l1/deposits.ts';
import { CONFIG_UPDATE_TOPIC, parseConfigUpdate } from '../../../../node/src/l1/systemConfigUpdates.ts';
import { expectEqual, expectRefused } from '../support/expect.ts';
import { mustFail, type Rule, wordsOf } from './literal.ts';

/** SystemConfig's update types, by their words. */
const updateTypes: readonly RegExp[] = [
  /batcher/,
  /gas_config/,
  /gas_limit/,
  /signer/,
  /eip1559/,
  /operator_fee/,
  /min_base_fee/,
  /da_footprint/,
];

/** Data of a ConfigUpdate log: one word in a `bytes`, or two for the gas configuration. */
export const configUpdates: Rule = (literal, siblings) => {
  const type = updateTypes.findIndex((words) => words.test(wordsOf(literal)));
  if (type === -1 || literal.bytes !== (type === 1 ? 128 : 96)) return undefined;
  const topics = [CONFIG_UPDATE_TOPIC, numberToHex(0, { size: 32 }), numberToHex(type, { size: 32 })];
  const parse = () => parseConfigUpdate({ topics, data: literal.hex });
  if (mustFail(literal)) return () => expectRefused(parse, 'update');
  return () => {
    const update = parse();
    const stated = siblings.find(({ const: name }) => name === 'UPDATE_TYPE');
    if (stated) expectEqual(numberToHex(type, { size: 32 }), stated.hex, 'type');
    const address = siblings.find(({ bytes }) => bytes === 20)?.hex;
    if (address && update.type === 'batcher') expectEqual(update.batcherAddress, address, 'batcher');
    if (address && update.type === 'unsafeBlockSigner') expectEqual(update.signer, address, 'signer');
  };
};

const topicNames: Readonly<Record<string, Hex>> = {
  DEPOSIT_EVENT_ABI_HASH: TRANSACTION_DEPOSITED_TOPIC,
  CONFIG_UPDATE_TOPIC,
};

export const topics: Rule = ({ const: name, hex }) => {
  const topic = topicNames[name ?? ''];
  return topic && (() => expectEqual(topic, hex, 'topic'));
};

/** What other clients call our addresses, where that differs by more than its writing. */
const aliases: Readonly<Record<string, string>> = {
  weth9: 'weth',
  l1blockinfo: 'l1block',
  opmintableerc20factory: 'optimismmintableerc20factory',
  opmintableerc721factory: 'optimismmintableerc721factory',
  beaconblockroot: 'beaconroots',
  depositoraccount: 'depositor',
  l1infodepositer: 'depositor',
};

const addresses: ReadonlyMap<string, string> = new Map(
  Object.entries({ ...opPredeploys, ...systemAddresses }).map(([name, address]) => [name.toLowerCase(), address]),
);

/** Constants that are named after a predeploy or a system account. Files of upgrades name implementations so, too. */
export const namedAddresses: Rule = ({ file, const: constant, bytes, hex }) => {
  const plain = (constant ?? '')
    .replace(/_ADDRESS$/, '')
    .replaceAll('_', '')
    .toLowerCase();
  if (bytes === 32 && plain === 'hashedhistorystorage') {
    return () => expectEqual(keccak256(systemAddresses.historyStorage), hex, 'hashed address');
  }
  const name = aliases[plain] ?? plain;
  const ours = addresses.get(name);
  if (bytes !== 20 || ours === undefined || (/hardforks/.test(file) && name !== 'depositor')) return undefined;
  return () => expectEqual(ours, hex.toLowerCase(), name);
};
