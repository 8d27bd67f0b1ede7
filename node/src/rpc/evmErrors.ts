import { decodeErrorResult, type Hex, parseAbi } from 'viem';

const messages: Readonly<Record<string, string>> = {
  revert: 'execution reverted',
  'invalid opcode': 'invalid opcode: INVALID',
  'stack underflow': 'stack underflow',
  'stack overflow': 'stack limit reached 1024 (1023)',
  'invalid JUMP': 'invalid jump destination',
  'static state change': 'write protection',
  'create collision': 'contract address collision',
  'insufficient balance': 'insufficient balance for transfer',
  'code size to deposit exceeds maximum code size': 'max code size exceeded',
  'code store out of gas': 'contract creation code storage out of gas',
};

/** The EVM's reason in geth's words. */
export const evmErrorMessage = (error: string): string => messages[error] ?? error;

const builtinErrors = parseAbi(['error Error(string)', 'error Panic(uint256)']);

/** Solidity's panic codes in geth's words. */
const panicReasons: Readonly<Record<number, string>> = {
  0: 'generic panic',
  1: 'assert(false)',
  17: 'arithmetic underflow or overflow',
  18: 'division or modulo by zero',
  33: 'enum overflow',
  34: 'invalid encoded storage byte array accessed',
  49: 'out-of-bounds array access; popping on an empty array',
  50: 'out-of-bounds access of an array or bytesN',
  65: 'out of memory',
  81: 'uninitialized function',
};

/** What Solidity says in its revert data; empty when it says nothing that has a standard form. */
export const revertReason = (returned: Hex): string => {
  try {
    const { errorName, args } = decodeErrorResult({ abi: builtinErrors, data: returned });
    if (errorName === 'Error') return args[0];
    return panicReasons[Number(args[0])] ?? `unknown panic code: 0x${args[0].toString(16)}`;
  } catch {
    return '';
  }
};
