import type { Message } from '@ethereumjs/evm';
import { type Address, bytesToHex, type Hex, keccak256, numberToHex, pad, toBytes } from 'viem';
import type { Log } from '../../primitives/receipt.ts';
import type { Tracer } from '../trace/tracer.ts';

/** ERC-7528's address of ether itself. */
const ETHER: Address = '0xeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee';
const TRANSFER: Hex = keccak256(toBytes('Transfer(address,address,uint256)'));

export type TransferTracer = Tracer & { logs(): readonly Log[] };

/**
 * Collects a call's logs in their order, and between them one for every transfer of ether: by the call, by calls and
 * creations inside it, and by self-destruction. What a failed frame did is forgotten.
 */
export const createTransferTracer = (): TransferTracer => {
  const frames: Frame[] = [];
  let done: readonly Log[] = [];
  let last = '';
  return {
    enter: (message) => {
      const frame: Frame = { message, logs: [] };
      frames.push(frame);
      const movesNothing = message.depth > 0 && (last === 'DELEGATECALL' || last === 'CALLCODE');
      if (movesNothing || message.value === 0n) return;
      // A creation's address isn't known yet; `exit` fills it in.
      const to = (message.to?.toString() ?? ETHER) as Address;
      frame.logs.push(transferOf(message.caller.toString() as Address, to, message.value));
      frame.isFunded = message.to === undefined;
    },
    step: ({ opcode, stack, memory, address, account }) => {
      last = opcode.name;
      const logs = frames.at(-1)?.logs;
      const self = address.toString() as Address;
      if (last === 'SELFDESTRUCT' && account.balance > 0n) {
        logs?.push(transferOf(self, toAddress(stack.at(-1)), account.balance));
      }
      if (!/^LOG\d$/.test(last)) return;
      const [offset, length] = [Number(stack.at(-1)), Number(stack.at(-2))];
      const topics = stack.slice(-2 - Number(last.slice(3)), -2).reverse();
      const data = slice(memory, offset, length);
      logs?.push({ address: self, topics: topics.map((topic) => numberToHex(topic, { size: 32 })), data });
    },
    exit: ({ execResult, createdAddress }) => {
      const frame = frames.pop();
      if (!frame) return;
      const { message, logs, isFunded } = frame;
      if (isFunded && createdAddress) {
        logs[0] = transferOf(message.caller.toString() as Address, createdAddress.toString() as Address, message.value);
      }
      const kept = execResult.exceptionError ? [] : logs;
      if (frames.length === 0) done = kept;
      else frames.at(-1)?.logs.push(...kept);
    },
    logs: () => done,
    result: () => null,
  };
};

/** A call that is running; `isFunded` when its first log is the transfer to a contract that it creates. */
type Frame = { readonly message: Message; readonly logs: Log[]; isFunded?: boolean };

const transferOf = (from: Address, to: Address, value: bigint): Log => ({
  address: ETHER,
  topics: [TRANSFER, pad(from, { size: 32 }), pad(to, { size: 32 })],
  data: numberToHex(value, { size: 32 }),
});

const toAddress = (word: bigint | undefined): Address => numberToHex((word ?? 0n) & ((1n << 160n) - 1n), { size: 20 });

/** Memory that wasn't written yet reads as zeros. */
const slice = (memory: Uint8Array, offset: number, length: number): Hex => {
  const bytes = new Uint8Array(length);
  bytes.set(memory.subarray(offset, offset + length));
  return bytesToHex(bytes);
};
