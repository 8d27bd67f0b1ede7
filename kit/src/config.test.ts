import { describe, expect, it } from 'vitest';
import {
  type ConfigTable,
  describeConfig,
  envName,
  parseBoolean,
  parseHex,
  parseInteger,
  parseText,
  parseUrl,
  readConfig,
} from './config.ts';
import { isOpenLedgerError } from './errors.ts';

const table = {
  port: { flag: 'rpc.port', description: 'Port of the RPC server', parse: parseInteger(0, 65_535), default: 8545 },
  l1: { flag: 'l1.rpc', description: 'URL of the L1 node', parse: parseUrl },
  key: { flag: 'sequencer.key', description: 'Key', parse: parseHex(2), default: '0x0000', secret: true },
} satisfies ConfigTable;

const read = (flags: Record<string, string | undefined>, env: Record<string, string | undefined> = {}) =>
  readConfig(table, { prefix: 'OPENLEDGER_NODE', flags, env });

const failure = (work: () => unknown): { code: string; handling: string; message: string } => {
  try {
    work();
  } catch (error) {
    if (isOpenLedgerError(error)) return error;
    throw error;
  }
  throw new Error('expected a CONFIG_INVALID error');
};

describe('readConfig', () => {
  const l1 = 'http://127.0.0.1:1';

  it('takes a flag over the environment over the default', () => {
    const env = { OPENLEDGER_NODE_RPC_PORT: '2', OPENLEDGER_NODE_L1_RPC: l1 };
    expect(read({ 'l1.rpc': l1 }).port).toBe(8545);
    expect(read({}, env).port).toBe(2);
    expect(read({ 'rpc.port': '3' }, env)).toEqual({ port: 3, l1, key: '0x0000' });
  });

  it('names the flag and the variable of a missing option', () => {
    expect(failure(() => read({}))).toMatchObject({
      code: 'CONFIG_INVALID',
      handling: 'fatal',
      message: 'missing option --l1.rpc (or OPENLEDGER_NODE_L1_RPC)',
    });
  });

  it.each(['rpc.prt', '__proto__', 'constructor'])('refuses the unknown option %s', (flag) => {
    const flags = JSON.parse(`{"${flag}":"1","l1.rpc":"${l1}"}`) as Record<string, string>;
    expect(failure(() => read(flags)).message).toBe(`unknown option --${flag}`);
  });

  it('names the option of a bad value without printing the value', () => {
    const error = failure(() => read({ 'l1.rpc': l1, 'sequencer.key': 'hunter2' }));
    expect(error.message).toBe('bad value for --sequencer.key: expected 0x and 4 hex digits');
  });

  it('derives the variable from the flag', () => {
    expect(envName('OPENLEDGER', 'l1.rpc-url')).toBe('OPENLEDGER_L1_RPC_URL');
  });

  it('documents flag, default and variable, but no default of a secret', () => {
    const lines = describeConfig(table, 'X').split('\n');
    expect(lines[0]).toMatch(/--rpc\.port +Port of the RPC server \[8545\] \(X_RPC_PORT\)/);
    expect(lines[2]).not.toContain('0x0000');
  });
});

describe('parsers', () => {
  it.each(['', ' ', '1.5', 'x', '-1', '11', '1e1', '0x1', '9007199254740993', 'Infinity'])('no integer: %j', (text) => {
    expect(() => parseInteger(0, 10)(text)).toThrow('expected an integer from 0 to 10');
  });
  it.each([
    ['0', 0],
    ['10', 10],
    ['-3', -3],
  ])('integer: %s', (text, value) => expect(parseInteger(-5, 10)(text)).toBe(value));
  it('reads booleans in both spellings and nothing else', () => {
    expect(['true', '1', 'false', '0'].map(parseBoolean)).toEqual([true, true, false, false]);
    for (const text of ['', 'yes', 'TRUE', '2']) expect(() => parseBoolean(text)).toThrow('expected true or false');
  });
  it('reads URLs, text and hex of an exact length', () => {
    expect(parseUrl('ws://h:1/p')).toBe('ws://h:1/p');
    expect(() => parseUrl('127.0.0.1:8545')).toThrow('expected a URL');
    expect(parseText('')).toBe('');
    expect(parseHex(1)('0xAb')).toBe('0xAb');
    for (const text of ['0xa', '0xabc', 'ab', '0xzz', '0xab\n'])
      expect(() => parseHex(1)(text)).toThrow('2 hex digits');
  });
});
