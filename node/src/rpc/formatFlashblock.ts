import { type Hex, numberToHex } from 'viem';
import type { Flashblock } from '../pending/flashblock.ts';
import { ZERO_HASH } from '../primitives/header.ts';
import type { Receipt } from '../primitives/receipt.ts';
import type { Json } from './format.ts';

const q = (value: bigint | number): Hex => numberToHex(value);

/** Names of transaction types in a flashblock's receipts. */
const typeNames: Readonly<Record<number, string>> = {
  0: 'Legacy',
  1: 'Eip2930',
  2: 'Eip1559',
  4: 'Eip7702',
  126: 'Deposit',
};

const receiptOf = (receipt: Receipt): Json => ({
  [typeNames[receipt.type] ?? 'Legacy']: {
    status: receipt.success ? '0x1' : '0x0',
    cumulativeGasUsed: q(receipt.cumulativeGasUsed),
    logs: receipt.logs.map(({ address, topics, data }) => ({ address, topics, data })),
    ...(receipt.depositNonce === null ? {} : { depositNonce: q(receipt.depositNonce) }),
    ...(receipt.depositReceiptVersion === null ? {} : { depositReceiptVersion: q(receipt.depositReceiptVersion) }),
  },
});

/**
 * A flashblock in the JSON of the flashblocks convention (specs/protocol/flashblocks.md, as rollup-boost sends it): `base` with
 * index 0 only; bloom and gas are of the whole block so far, transactions those added. Roots and hash are known when the block is
 * sealed; here they are zero.
 */
export const formatFlashblock = ({ payloadId, index, block, from, diff }: Flashblock): Json => {
  const { header, transactions, receipts } = block;
  const balances = [...diff.accounts].map(([address, account]): [Hex, Hex] => [address, q(account?.balance ?? 0n)]);
  return {
    payload_id: payloadId,
    index,
    ...(index === 0
      ? {
          base: {
            parent_beacon_block_root: header.parentBeaconBlockRoot ?? ZERO_HASH,
            parent_hash: header.parentHash,
            fee_recipient: header.miner,
            prev_randao: header.mixHash,
            block_number: q(header.number),
            gas_limit: q(header.gasLimit),
            timestamp: q(header.timestamp),
            extra_data: header.extraData,
            base_fee_per_gas: q(header.baseFeePerGas ?? 0n),
          },
        }
      : {}),
    diff: {
      state_root: header.stateRoot,
      receipts_root: header.receiptsRoot,
      logs_bloom: header.logsBloom,
      gas_used: q(header.gasUsed),
      block_hash: block.hash,
      transactions: transactions.slice(from).map(({ raw }) => raw),
      withdrawals: [],
      withdrawals_root: header.withdrawalsRoot ?? ZERO_HASH,
      ...(header.blobGasUsed === undefined ? {} : { blob_gas_used: q(header.blobGasUsed) }),
    },
    metadata: {
      block_number: Number(header.number),
      receipts: Object.fromEntries(
        receipts.slice(from).map((receipt, i) => [transactions[from + i]?.hash, receiptOf(receipt)]),
      ),
      new_account_balances: Object.fromEntries(balances),
    },
  };
};
