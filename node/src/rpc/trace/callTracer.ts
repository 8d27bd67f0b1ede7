import type { InterpreterStep, Message } from '@ethereumjs/evm';
import { type Hex, numberToHex } from 'viem';
import { evmErrorMessage, revertReason } from '../evmErrors.ts';
import type { Json } from '../format.ts';
import type { Tracer } from './tracer.ts';

export type CallTracerOptions = { readonly onlyTopCall: boolean; readonly withLog: boolean };

type Frame = { fields: { [key: string]: Json }; calls: Frame[]; logs: Json[]; gasLimit: bigint };

const hex = (bytes: Uint8Array): Hex => `0x${Buffer.from(bytes).toString('hex')}`;
const address = (value: bigint | undefined): Hex => numberToHex((value ?? 0n) & ((1n << 160n) - 1n), { size: 20 });

/** The tree of calls with their inputs, outputs and errors: geth's callTracer. */
export const createCallTracer = (options: CallTracerOptions): Tracer => {
  const stack: Frame[] = [];
  let top: Frame | undefined;
  let last: InterpreterStep['opcode']['name'] = 'CALL';
  let logCount = 0;

  return {
    step: ({ opcode, stack: values, memory, address: self }) => {
      last = opcode.name;
      const frame = stack.at(-1);
      if (!frame) return;
      if (last === 'SELFDESTRUCT' && !options.onlyTopCall) {
        const fields = {
          type: last,
          from: self.toString(),
          to: address(values.at(-1)),
          gas: '0x0',
          gasUsed: '0x0',
          input: '0x',
        };
        frame.calls.push({ fields, calls: [], logs: [], gasLimit: 0n });
      }
      if (options.withLog && /^LOG\d$/.test(last)) {
        const [offset, length] = [Number(values.at(-1)), Number(values.at(-2))];
        const topics = values.slice(-2 - Number(last.slice(3)), -2).reverse();
        frame.logs.push({
          address: self.toString(),
          topics: topics.map((topic) => numberToHex(topic, { size: 32 })),
          data: hex(padded(memory, offset, length)),
          position: numberToHex(frame.calls.length),
          index: numberToHex(logCount++),
        });
      }
    },
    enter: (message) => {
      const frame = openFrame(message, last);
      if (message.depth === 0) top = frame;
      else if (!options.onlyTopCall) stack.at(-1)?.calls.push(frame);
      stack.push(frame);
    },
    exit: ({ execResult, createdAddress }) => {
      const frame = stack.pop();
      if (!frame) return;
      const { fields } = frame;
      const { exceptionError, returnValue, executionGasUsed } = execResult;
      fields.gasUsed = numberToHex(executionGasUsed);
      if (createdAddress && !exceptionError) fields.to = createdAddress.toString();
      if (returnValue.length > 0 && (!exceptionError || exceptionError.error === 'revert'))
        fields.output = hex(returnValue);
      if (!exceptionError) return;
      // What a failed call logged never happened.
      frame.logs = [];
      fields.error = evmErrorMessage(exceptionError.error);
      const reason = exceptionError.error === 'revert' ? revertReason(hex(returnValue)) : '';
      if (reason) fields.revertReason = reason;
      if (fields.type === 'CREATE' || fields.type === 'CREATE2') delete fields.to;
    },
    result: ({ gasLimit, gasUsed }) => {
      if (!top) return null;
      top.fields.gas = numberToHex(gasLimit);
      top.fields.gasUsed = numberToHex(gasUsed);
      return render(top);
    },
  };
};

const openFrame = (message: Message, opcode: string): Frame => {
  const type = message.depth > 0 ? opcode : message.to === undefined ? 'CREATE' : 'CALL';
  const runsForeignCode = type === 'DELEGATECALL' || type === 'CALLCODE';
  const fields: { [key: string]: Json } = {
    from: (runsForeignCode && message.to ? message.to : message.caller).toString(),
    gas: numberToHex(message.gasLimit),
    gasUsed: '0x0',
    ...(message.to ? { to: (runsForeignCode ? message.codeAddress : message.to).toString() } : {}),
    input: hex(message.data),
    ...(type === 'STATICCALL' ? {} : { value: numberToHex(message.value) }),
    type,
  };
  return { fields, calls: [], logs: [], gasLimit: message.gasLimit };
};

const render = ({ fields, calls, logs }: Frame): Json => ({
  ...fields,
  ...(calls.length > 0 ? { calls: calls.map(render) } : {}),
  ...(logs.length > 0 ? { logs } : {}),
});

const padded = (memory: Uint8Array, offset: number, length: number): Uint8Array => {
  const data = new Uint8Array(length);
  data.set(memory.subarray(offset, offset + length));
  return data;
};
