import { createBlockHeader } from '@ethereumjs/block';
import { Common, Hardfork, Mainnet } from '@ethereumjs/common';
import { createTxFromRLP } from '@ethereumjs/tx';
import { type Hex, hexToBytes, numberToHex, toRlp } from 'viem';
import { privateKeyToAddress } from 'viem/accounts';
import { createCommon } from '../../../../node/src/execution/createCommon.ts';
import { decodeRlp, type RlpItem } from '../../../../node/src/primitives/decodeRlp.ts';
import { EMPTY_UNCLES_HASH, hashHeader, headerFromFields } from '../../../../node/src/primitives/header.ts';
import type { Case } from '../../suite.ts';
import { expectEqual, hex } from '../support/expect.ts';
import { type FixtureFile, parseJson } from '../support/fixtureFiles.ts';

type GenesisHashes = { genesis_rlp_hex: string; genesis_state_root: string; genesis_hash: string };

/** Ethereum's own genesis block: decoded, its state root, its hash. */
export const genesisHashCases = (file: FixtureFile): Case[] => [
  {
    name: file.path,
    run: () => {
      const vector = parseJson<GenesisHashes>(file);
      const [fields] = decodeRlp(hex(vector.genesis_rlp_hex)) as readonly RlpItem[];
      const header = headerFromFields(fields as readonly Hex[]);
      expectEqual(header.stateRoot, hex(vector.genesis_state_root), 'state root');
      expectEqual(hashHeader(header), hex(vector.genesis_hash), 'hash');
    },
  },
];

type KeyTest = { seed: string; key: string; addr: string };

/** A key's address. The vector's signature is over a digest that it doesn't state, and so is left out. */
export const keyCases = (file: FixtureFile): Case[] =>
  parseJson<KeyTest[]>(file).map(({ seed, key, addr }) => ({
    name: `${file.path} ${seed}`,
    run: () => expectEqual(privateKeyToAddress(hex(key)).toLowerCase(), hex(addr), 'address'),
  }));

type SignedTest = {
  key: string;
  nonce: number;
  gasprice: number;
  startgas: number;
  to: string;
  value: number;
  data: string;
  unsigned: string;
  signed: string;
};

const FRONTIER = new Common({
  chain: Mainnet,
  hardfork: Hardfork.Chainstart,
  customCrypto: createCommon(1).customCrypto,
});

/** Frontier transactions: fields, unsigned form (with empty v, r, s) and sender. */
export const signedTransactionCases = (file: FixtureFile): Case[] =>
  parseJson<SignedTest[]>(file).map((test, index) => ({
    name: `${file.path} ${index}`,
    run: () => {
      const integer = (value: number): Hex => (value === 0 ? '0x' : numberToHex(BigInt(value)));
      const { nonce, gasprice, startgas, to, value, data } = test;
      const fields = [integer(nonce), integer(gasprice), integer(startgas), hex(to), integer(value), hex(data)];
      expectEqual(toRlp([...fields, '0x', '0x', '0x']), hex(test.unsigned), 'unsigned');
      const tx = createTxFromRLP(hexToBytes(hex(test.signed)), { common: FRONTIER });
      const [, , , , , , v = '0x', r = '0x', s = '0x'] = decodeRlp(hex(test.signed)) as readonly Hex[];
      expectEqual(toRlp([...fields, v, r, s]), hex(test.signed), 'signed');
      expectEqual(tx.getSenderAddress().toString(), privateKeyToAddress(hex(test.key)).toLowerCase(), 'sender');
    },
  }));

type DifficultyTest = {
  parentTimestamp: string;
  parentDifficulty: string;
  parentUncles?: string;
  currentTimestamp: string;
  currentBlockNumber: string;
  currentDifficulty: string;
};

const mainnet = new Common({ chain: Mainnet });
const ROPSTEN = [
  [4_230_000n, Hardfork.Constantinople],
  [1_700_000n, Hardfork.Byzantium],
  [0n, Hardfork.Homestead],
] as const;

const hardforkOf = (path: string, blockNumber: bigint): Hardfork => {
  if (/ropsten/i.test(path)) return ROPSTEN.find(([from]) => blockNumber >= from)?.[1] ?? Hardfork.Homestead;
  return /homestead/i.test(path) ? Hardfork.Homestead : (mainnet.getHardforkBy({ blockNumber }) as Hardfork);
};

/** Proof-of-work difficulty. L2 has none: it is EthereumJS' own rule, and so one case a file, however many rows. */
export const difficultyCases = (file: FixtureFile): Case[] => [
  {
    name: file.path,
    run: () => {
      for (const [name, test] of Object.entries(parseJson<Record<string, DifficultyTest>>(file))) {
        const number = BigInt(test.currentBlockNumber);
        const common = new Common({ chain: Mainnet, hardfork: hardforkOf(file.path, number) });
        const options = { common, skipConsensusFormatValidation: true };
        const parent = createBlockHeader(
          {
            number: number - 1n,
            timestamp: BigInt(test.parentTimestamp),
            difficulty: BigInt(test.parentDifficulty),
            uncleHash: hex(test.parentUncles ?? EMPTY_UNCLES_HASH),
          },
          options,
        );
        const header = createBlockHeader({ number, timestamp: BigInt(test.currentTimestamp) }, options);
        expectEqual(header.ethashCanonicalDifficulty(parent), BigInt(test.currentDifficulty), name);
      }
    },
  },
];
