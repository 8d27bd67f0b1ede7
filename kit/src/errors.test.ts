import { describe, expect, it } from 'vitest';
import { describeError, handlingOf, isOpenLedgerError, OpenLedgerError } from './errors.ts';

const error = (code: string, cause?: unknown) =>
  new OpenLedgerError(`message of ${code}`, { code, handling: 'reject', action: 'Do this.', cause });

describe('OpenLedgerError', () => {
  it('describes itself in one line: message, code, what to do', () => {
    expect(error('A_CODE').describe()).toBe('message of A_CODE (A_CODE). Do this.');
    expect(new OpenLedgerError('plain', { code: 'B', handling: 'fatal' }).describe()).toBe('plain (B)');
  });

  it('walks its causes, itself first, and ends when nothing matches', () => {
    const root = new TypeError('root');
    const middle = error('MIDDLE', root);
    const top = error('TOP', middle);
    expect(top.walk(() => true)).toBe(top);
    expect(top.walk((e) => isOpenLedgerError(e, 'MIDDLE'))).toBe(middle);
    expect(top.walk((e) => e instanceof TypeError)).toBe(root);
    expect(top.walk((e) => e === 'absent')).toBeUndefined();
  });

  it('finds a cause that is no Error', () => {
    expect(error('TOP', 'text').walk((e) => typeof e === 'string')).toBe('text');
  });

  it('keeps meta and leaves cause undefined when there is none', () => {
    const made = new OpenLedgerError('m', { code: 'C', handling: 'retry', meta: { n: 1n } });
    expect(made.meta).toEqual({ n: 1n });
    expect('cause' in made).toBe(false);
  });
});

describe('helpers', () => {
  it('tells our errors by code', () => {
    expect(isOpenLedgerError(error('A'), 'A')).toBe(true);
    expect(isOpenLedgerError(error('A'), 'B')).toBe(false);
    expect(isOpenLedgerError(new Error('A'))).toBe(false);
  });
  it('handles unknown errors by trying again', () => {
    expect(handlingOf(error('A'))).toBe('reject');
    expect(handlingOf(new Error('x'))).toBe('retry');
    expect(handlingOf(undefined)).toBe('retry');
  });
  it('describes whatever was thrown', () => {
    expect(describeError(error('A'))).toBe('message of A (A). Do this.');
    expect(describeError(new Error('x'))).toBe('x');
    expect(describeError(7)).toBe('7');
  });
});
