import { createMPT, LeafMPTNode, type MerklePatriciaTrie } from '@ethereumjs/mpt';
import { keccak256Bytes } from '../../../../node/src/primitives/crypto.ts';
import type { Case } from '../../suite.ts';
import { expectEqual } from '../support/expect.ts';
import { type FixtureFile, parseJson } from '../support/fixtureFiles.ts';

type Pairs = readonly (readonly [string, string | null])[];
type TrieTest = { in: Pairs | Record<string, string | null>; root: string };
type NeighbourTest = { in: readonly string[]; tests: readonly (readonly [string, string, string])[] };

const bytes = (text: string): Uint8Array =>
  text.startsWith('0x') ? Buffer.from(text.slice(2), 'hex') : Buffer.from(text, 'utf8');

/** As node/src/state makes them. */
const openTrie = (secure: boolean): Promise<MerklePatriciaTrie> =>
  createMPT({ useKeyHashing: secure, useKeyHashingFunction: keccak256Bytes });

const rootOf = async (pairs: Pairs, secure: boolean): Promise<string> => {
  const trie = await openTrie(secure);
  for (const [key, value] of pairs) {
    if (value === null) await trie.del(bytes(key));
    else await trie.put(bytes(key), bytes(value));
  }
  return `0x${Buffer.from(trie.root()).toString('hex')}`;
};

/** Pairs of an object have no order: the root must not depend on one. */
const orders = (input: TrieTest['in']): Pairs[] => {
  if (Array.isArray(input)) return [input as Pairs];
  const pairs = Object.entries(input as Record<string, string | null>);
  const rotated = pairs.map((_, i) => [...pairs.slice(i), ...pairs.slice(0, i)]);
  return [...rotated, [...pairs].reverse()];
};

const rootCases = (file: FixtureFile): Case[] => {
  const secure = /secure/i.test(file.path);
  return Object.entries(parseJson<Record<string, TrieTest>>(file)).map(([name, test]) => ({
    name: `${file.path} ${name}`,
    run: async () => {
      for (const pairs of orders(test.in)) expectEqual(await rootOf(pairs, secure), test.root, 'root');
    },
  }));
};

/** Nodes under 32 bytes lie in their parents, where EthereumJS' walk doesn't look. */
const NOT_EMBEDDED = 40;

/** For each probe the nearest keys before and after it, found by walking the leaves. */
const neighbourCases = (file: FixtureFile): Case[] =>
  Object.entries(parseJson<Record<string, NeighbourTest>>(file)).map(([name, test]) => ({
    name: `${file.path} ${name}`,
    run: async () => {
      const trie = await openTrie(false);
      for (const key of test.in) await trie.put(bytes(key), bytes(key.padEnd(NOT_EMBEDDED, '\0')));
      const keys: string[] = [];
      await trie.walkAllValueNodes(async (node) => {
        const value = node.value();
        if (value)
          keys.push(
            Buffer.from(value as Uint8Array)
              .toString('utf8')
              .replace(/\0+$/, ''),
          );
      });
      keys.sort();
      for (const [probe, previous, next] of test.tests) {
        const found = [keys.filter((key) => key < probe).at(-1) ?? '', keys.find((key) => key > probe) ?? ''];
        expectEqual(found, [previous, next], `around "${probe}"`);
      }
    },
  }));

export const trieCases = (file: FixtureFile): Case[] =>
  /nextprev/i.test(file.path) ? neighbourCases(file) : rootCases(file);

type HexPrefixTest = { seq: number[]; term: boolean; out: string };

/** Hex-prefix encoding of paths (Yellow Paper, appendix C), as the trie's own nodes write theirs. */
export const hexPrefixCases = (file: FixtureFile): Case[] =>
  Object.entries(parseJson<Record<string, HexPrefixTest>>(file)).map(([name, { seq, term, out }]) => ({
    name: `${file.path} ${name}`,
    run: () => {
      const node = new LeafMPTNode(seq as never, new Uint8Array([1]));
      if (!term) node._isLeaf = false;
      expectEqual(Buffer.from(node.raw()[0]).toString('hex'), out, 'path');
    },
  }));
