import { type Hex, numberToHex } from 'viem';
import type { Json } from '../format.ts';
import { limitExceeded } from '../rpcError.ts';
import type { Tracer } from './tracer.ts';

/** geth's options of its default tracer. */
export type StructLogOptions = {
  readonly disableStack: boolean;
  readonly disableStorage: boolean;
  readonly enableMemory: boolean;
  readonly enableReturnData: boolean;
  /** Most log entries; 0 means as many as the node gives. */
  readonly limit: number;
};

type StructLog = { [key: string]: Json };

/** Entries that one trace may have; more would be hundreds of megabytes of JSON. */
const MAX_LOGS = 500_000;
const WORD = 32;
const STIPEND = 2_300n;

const hex = (bytes: Uint8Array): Hex => `0x${Buffer.from(bytes).toString('hex')}`;
const word = (value: bigint): Hex => numberToHex(value, { size: WORD });

/** Every opcode with its gas and, as asked, stack, memory, storage and return data: geth's struct logger. */
export const createStructLogger = (options: StructLogOptions): Tracer => {
  const logs: StructLog[] = [];
  const storages = new Map<string, Record<string, Json>>();
  const returnData: Uint8Array[] = [];
  let depth = -1;
  let returned: Hex = '0x';

  return {
    step: (step) => {
      if (options.limit > 0 && logs.length >= options.limit) return;
      if (logs.length >= MAX_LOGS) throw limitExceeded(`the trace has more than ${MAX_LOGS} steps; set "limit"`);
      const { opcode, stack, memory, gasRefund } = step;
      const entry: StructLog = {
        pc: step.pc,
        op: opcode.name,
        gas: Number(step.gasLeft),
        gasCost: Number(opcode.dynamicFee ?? BigInt(opcode.fee)),
        depth: step.depth + 1,
      };
      if (!options.disableStack) entry.stack = stack.map((value) => numberToHex(value));
      if (options.enableMemory && memory.length > 0) entry.memory = toWords(memory, Number(step.memoryWordCount));
      const data = returnData[step.depth];
      if (options.enableReturnData && data && data.length > 0) entry.returnData = hex(data);
      if (gasRefund > 0n) entry.refund = Number(gasRefund);
      if (!options.disableStorage && opcode.name === 'SSTORE') {
        const account = step.address.toString();
        const slots = storages.get(account) ?? {};
        const [slot, value] = [stack.at(-1), stack.at(-2)];
        if (slot !== undefined && value !== undefined) slots[word(slot)] = word(value);
        storages.set(account, slots);
        entry.storage = { ...slots };
      }
      logs.push(entry);
    },
    enter: (message) => {
      depth = message.depth;
      returnData[depth] = new Uint8Array();
      const caller = logs.at(-1);
      // A call's cost includes the gas that it hands on; the stipend isn't the caller's.
      if (depth > 0 && caller) {
        const stipend = message.value > 0n && !message.isCreate && !message.delegatecall ? STIPEND : 0n;
        caller.gasCost = Number(caller.gasCost) + Number(message.gasLimit - stipend);
      }
    },
    exit: ({ execResult }) => {
      if (depth === 0) returned = hex(execResult.returnValue);
      depth--;
      if (depth >= 0) returnData[depth] = execResult.returnValue;
      const last = logs.at(-1);
      const error = execResult.exceptionError?.error;
      if (last && error && error !== 'revert') last.error = error;
    },
    result: ({ gasUsed, success }) => ({
      gas: Number(gasUsed),
      failed: !success,
      returnValue: returned,
      structLogs: logs,
    }),
  };
};

const toWords = (memory: Uint8Array, words: number): Hex[] => {
  const padded = new Uint8Array(words * WORD);
  padded.set(memory.subarray(0, padded.length));
  return Array.from({ length: words }, (_, index) => hex(padded.subarray(index * WORD, (index + 1) * WORD)));
};
