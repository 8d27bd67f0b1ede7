import { type Hex, hexToBigInt } from 'viem';
import { type NodeErrorCode, nodeError } from '../errors.ts';
import { createL1Rpc, type FetchLimits, L1RequestRefused, orUnavailable } from './l1Rpc.ts';
import type { L1Sender } from './l1Sender.ts';

/** What execution clients say when they refuse a transaction: geth, reth, anvil, nethermind. */
const refusals: readonly (readonly [RegExp, NodeErrorCode])[] = [
  [/nonce too low|nonce.*(is )?too old|OldNonce/i, 'L1_TX_NONCE_USED'],
  [/underpriced|fee too low|less than block base fee|below (the )?(min|current|base)|FeeTooLow/i, 'L1_TX_UNDERPRICED'],
  [/insufficient funds|InsufficientFunds/i, 'L1_INSUFFICIENT_FUNDS'],
];
const ALREADY_KNOWN = /already (known|imported)|known transaction|AlreadyKnown/i;

/** @throws the typed error that a refusal stands for */
export const refusalOf = ({ message, code }: { message: string; code: number }): Error | undefined => {
  if (ALREADY_KNOWN.test(message)) return undefined;
  const known = refusals.find(([pattern]) => pattern.test(message));
  return nodeError(known?.[1] ?? 'L1_TX_REFUSED', `L1 refuses the transaction: ${message.slice(0, 200)}`, { code });
};

type RpcInclusion = {
  blockHash: Hex;
  blockNumber: Hex;
  status: Hex;
  gasUsed: Hex;
  effectiveGasPrice: Hex;
  blobGasUsed?: Hex;
  blobGasPrice?: Hex;
};

/** Sends over JSON-RPC. */
export const createL1RpcSender = (options: { url: string; limits?: FetchLimits }): L1Sender => {
  const rpc = createL1Rpc(options.url, options.limits);
  const ask = <T>(method: string, ...params: unknown[]): Promise<T> => rpc<T>(method, params).catch(orUnavailable);
  const quantity = async (method: string, ...params: unknown[]) => hexToBigInt(await ask<Hex>(method, ...params));
  const latest = () => ask<{ hash: Hex; number: Hex; baseFeePerGas: Hex }>('eth_getBlockByNumber', 'latest', false);
  return {
    chainId: async () => Number(await quantity('eth_chainId')),
    nonce: (address) => quantity('eth_getTransactionCount', address, 'latest'),
    balance: (address) => quantity('eth_getBalance', address, 'latest'),
    fees: async () => {
      const [{ baseFeePerGas }, tip, blobBaseFee] = await Promise.all([
        latest(),
        quantity('eth_maxPriorityFeePerGas'),
        quantity('eth_blobBaseFee'),
      ]);
      return { baseFee: hexToBigInt(baseFeePerGas), tip, blobBaseFee };
    },
    sendRaw: async (raw) => {
      try {
        await rpc('eth_sendRawTransaction', [raw]);
      } catch (error) {
        if (!(error instanceof L1RequestRefused)) throw error;
        const refusal = refusalOf(error);
        if (refusal) throw refusal;
      }
    },
    isKnown: async (hash) => (await ask('eth_getTransactionByHash', hash)) !== null,
    inclusion: async (hash) => {
      const receipt = await ask<RpcInclusion | null>('eth_getTransactionReceipt', hash);
      if (!receipt?.blockHash) return undefined;
      const gas = hexToBigInt(receipt.gasUsed) * hexToBigInt(receipt.effectiveGasPrice);
      return {
        block: { hash: receipt.blockHash, number: hexToBigInt(receipt.blockNumber) },
        success: receipt.status === '0x1',
        cost: gas + BigInt(receipt.blobGasUsed ?? 0) * BigInt(receipt.blobGasPrice ?? 0),
      };
    },
    head: async () => {
      const { hash, number } = await latest();
      return { hash, number: hexToBigInt(number) };
    },
  };
};
