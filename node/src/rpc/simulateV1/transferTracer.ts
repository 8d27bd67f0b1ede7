import { type Address, bytesToHex, type Hex, keccak256, numberToHex, pad, toBytes } from 'viem';
import type { Log } from '../../primitives/receipt.ts';
import type { Tracer } from '../trace/tracer.ts';

/** ERC-7528's address of ether itself. */
const ETHER: Address = '0xeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee';
const TRANSFER: Hex = keccak256(toBytes('Transfer(address,address,uint256)'));

export type TransferTracer = Pick<Tracer, 'step' | 'enter' | 'exit' | 'result'> & { logs(): readonly Log[] };

/**
 * Collects a call's logs in their order, and between them one for every transfer of ether: by the call, by calls and
 * creations inside it, and by self-destruction. What a failed frame did is forgotten.
 */
export const createTransferTracer = (addressOfCreation: () => Address): TransferTracer => {
  const frames: Log[][] = [];
  let done: readonly Log[] = [];
  let last = '';
  const transfer = (from: Address, to: Address, value: bigint) => {
    if (value === 0n) return;
    const topics = [TRANSFER, pad(from, { size: 32 }), pad(to, { size: 32 })];
    frames.at(-1)?.push({ address: ETHER, topics, data: numberToHex(value, { size: 32 }) });
  };
  return {
    enter: (message) => {
      frames.push([]);
      const movesNothing = message.depth > 0 && (last === 'DELEGATECALL' || last === 'CALLCODE');
      if (movesNothing) return;
      const to = (message.to?.toString() as Address | undefined) ?? addressOfCreation();
      transfer(message.caller.toString() as Address, to, message.value);
    },
    step: ({ opcode, stack, memory, address, account }) => {
      last = opcode.name;
      const self = address.toString() as Address;
      if (last === 'SELFDESTRUCT') transfer(self, toAddress(stack.at(-1)), account.balance);
      if (!/^LOG\d$/.test(last)) return;
      const [offset, length] = [Number(stack.at(-1)), Number(stack.at(-2))];
      const topics = stack.slice(-2 - Number(last.slice(3)), -2).reverse();
      frames.at(-1)?.push({
        address: self,
        topics: topics.map((topic) => numberToHex(topic, { size: 32 })),
        data: slice(memory, offset, length),
      });
    },
    exit: ({ execResult }) => {
      const logs = frames.pop() ?? [];
      const kept = execResult.exceptionError ? [] : logs;
      if (frames.length === 0) done = kept;
      else frames.at(-1)?.push(...kept);
    },
    logs: () => done,
    result: () => null,
  };
};

const toAddress = (word: bigint | undefined): Address =>
  numberToHex((word ?? 0n) & ((1n << 160n) - 1n), { size: 20 });

/** Memory that wasn't written yet reads as zeros. */
const slice = (memory: Uint8Array, offset: number, length: number): Hex => {
  const bytes = new Uint8Array(length);
  bytes.set(memory.subarray(offset, offset + length));
  return bytesToHex(bytes);
};
