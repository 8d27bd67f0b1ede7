import { RLP } from '@ethereumjs/rlp';
import { bytesToHex, type Hex, hexToBytes, numberToHex, toRlp } from 'viem';
import type { Block, Withdrawal } from './block.ts';
import { encodeHeader } from './header.ts';

const integer = (value: bigint): Hex => (value === 0n ? '0x' : numberToHex(value));

export const encodeWithdrawal = (w: Withdrawal): Hex =>
  toRlp([integer(w.index), integer(w.validatorIndex), w.address, integer(w.amount)]);

const FIRST_RLP_LIST = 0xc0;

/** A block's RLP: header, transactions (legacy ones as lists, others as strings), uncles, withdrawals since Shanghai. */
export const encodeBlock = (block: Block): Hex => {
  const nested = (hex: Hex) => RLP.decode(hexToBytes(hex));
  const transactions = block.transactions.map(({ raw }) => {
    const bytes = hexToBytes(raw);
    return (bytes[0] ?? 0) >= FIRST_RLP_LIST ? RLP.decode(bytes) : bytes;
  });
  const withdrawals =
    block.header.withdrawalsRoot === undefined ? [] : [block.withdrawals.map((w) => nested(encodeWithdrawal(w)))];
  return bytesToHex(
    RLP.encode([
      nested(encodeHeader(block.header)),
      transactions,
      block.uncles.map((uncle) => nested(encodeHeader(uncle))),
      ...withdrawals,
    ] as never),
  );
};
