import { RLP } from '@ethereumjs/rlp';
import { bytesToHex, encodeAbiParameters, type Hex, toRlp } from 'viem';
import { decryptKeystore } from '../../../../cli/src/keystore.ts';
import { decodeRlp, type RlpItem } from '../../../../node/src/primitives/decodeRlp.ts';
import type { Case } from '../../suite.ts';
import { expectEqual, expectRefused, hex } from '../support/expect.ts';
import { type FixtureFile, parseJson } from '../support/fixtureFiles.ts';

type RlpInput = string | number | readonly RlpInput[];
type RlpTest = { in: RlpInput; out: string };

/** Numbers are their shortest big-endian bytes; `#` marks one that JSON can't hold. */
const toItem = (input: RlpInput): RlpItem => {
  if (Array.isArray(input)) return input.map(toItem);
  if (typeof input === 'number' || (input as string).startsWith('#')) {
    const value = BigInt(typeof input === 'number' ? input : (input as string).slice(1));
    if (value === 0n) return '0x';
    const digits = value.toString(16);
    return `0x${digits.padStart(digits.length + (digits.length % 2), '0')}`;
  }
  return bytesToHex(Buffer.from(input as string, 'utf8'));
};

/** RLPTests: encoded by both encoders that the node uses and decoded by its strict decoder; invalid ones refused. */
export const rlpCases = (file: FixtureFile): Case[] =>
  Object.entries(parseJson<Record<string, RlpTest>>(file)).map(([name, { in: input, out }]) => ({
    name: `${file.path} ${name}`,
    run: async () => {
      const encoded = hex(out);
      if (input === 'INVALID') {
        await expectRefused(() => decodeRlp(encoded), 'RLP');
        return;
      }
      const item = decodeRlp(encoded);
      expectEqual(toRlp(item as Hex), encoded, 'encoded again');
      expectEqual(bytesToHex(RLP.encode(item as never)), encoded, 'encoded by EthereumJS');
      if (input !== 'VALID') expectEqual(item, toItem(input), 'decoded');
    },
  }));

type KeystoreTest = { json: object; password: string; priv: string };

/** KeyStoreTests: keystore files open to their private key, and not with another password. */
export const keystoreCases = (file: FixtureFile): Case[] =>
  Object.entries(parseJson<Record<string, KeystoreTest>>(file)).map(([name, { json, password, priv }]) => ({
    name: `${file.path} ${name}`,
    run: async () => {
      expectEqual(await decryptKeystore(JSON.stringify(json), password), hex(priv).toLowerCase(), 'private key');
      await expectRefused(() => decryptKeystore(JSON.stringify(json), `${password}.`), 'a wrong password');
    },
  }));

type AbiTest = { args: readonly unknown[]; types: readonly string[]; result: string };

/** Byte strings are given as text. */
const toArgument = (type: string, value: unknown): unknown => {
  if (Array.isArray(value)) return value.map((item) => toArgument(type.replace(/\[\d*\]$/, ''), item));
  if (type.startsWith('bytes') && !String(value).startsWith('0x')) return bytesToHex(Buffer.from(String(value)));
  return /^u?int/.test(type) ? BigInt(value as number) : value;
};

/** ABITests: arguments encoded by viem, which makes all our calldata. */
export const abiCases = (file: FixtureFile): Case[] =>
  Object.entries(parseJson<Record<string, AbiTest>>(file)).map(([name, { args, types, result }]) => ({
    name: `${file.path} ${name}`,
    run: () => {
      const values = args.map((value, index) => toArgument(types[index] ?? '', value));
      expectEqual(
        encodeAbiParameters(
          types.map((type) => ({ type })),
          values,
        ),
        hex(result),
        'encoded',
      );
    },
  }));
