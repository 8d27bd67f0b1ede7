import { numberToHex } from 'viem';
import type { ChainReader } from '../chainReader.ts';
import type { Methods } from '../dispatch.ts';
import { feeHistory, suggestTip } from '../feeOracle.ts';
import { formatBlock, formatReceipt, formatTransaction, type Json } from '../format.ts';
import { queryLogs, toLogQuery } from '../logs.ts';
import { type BlockSelector, required, toBlockSelector, toHash, toHexBytes, toQuantity } from '../params.ts';
import { invalidParams } from '../rpcError.ts';

/** Methods that read blocks, transactions, receipts, logs and fees, and the one that sends. */
export const ethChainMethods = (chain: ChainReader): Methods => {
  const byNumber = (params: readonly unknown[]): BlockSelector => toBlockSelector(required(params, 0), 0);
  const byHash = (params: readonly unknown[]): BlockSelector => ({ hash: toHash(params, 0) });
  const full = (params: readonly unknown[]): boolean => {
    const flag = params[1] ?? false;
    if (typeof flag !== 'boolean') throw invalidParams('invalid argument 1: expected a boolean');
    return flag;
  };
  const block = async (selector: BlockSelector, withTransactions: boolean): Promise<Json> => {
    const found = await chain.findBlock(selector);
    return found ? formatBlock(found, withTransactions) : null;
  };
  const count = async (selector: BlockSelector): Promise<Json> => {
    const found = await chain.findBlock(selector);
    return found ? numberToHex(found.transactions.length) : null;
  };
  const inBlock = async (selector: BlockSelector, index: bigint): Promise<Json> => {
    const found = await chain.findBlock(selector);
    const transaction = found?.transactions[Number(index)];
    return found && transaction ? formatTransaction(transaction, { block: found, index: Number(index) }) : null;
  };
  const uncleCount = async (selector: BlockSelector): Promise<Json> =>
    (await chain.findBlock(selector)) ? '0x0' : null;

  return {
    eth_chainId: () => numberToHex(chain.engine.rules.chainId),
    eth_blockNumber: () => numberToHex(chain.engine.heads.unsafe.number),
    eth_syncing: () => false,
    eth_accounts: () => [],
    eth_mining: () => false,
    eth_hashrate: () => '0x0',
    eth_getBlockByNumber: (params) => block(byNumber(params), full(params)),
    eth_getBlockByHash: (params) => block(byHash(params), full(params)),
    eth_getBlockTransactionCountByNumber: (params) => count(byNumber(params)),
    eth_getBlockTransactionCountByHash: (params) => count(byHash(params)),
    eth_getTransactionByBlockNumberAndIndex: (params) => inBlock(byNumber(params), toQuantity(required(params, 1), 1)),
    eth_getTransactionByBlockHashAndIndex: (params) => inBlock(byHash(params), toQuantity(required(params, 1), 1)),
    eth_getUncleCountByBlockNumber: (params) => uncleCount(byNumber(params)),
    eth_getUncleCountByBlockHash: (params) => uncleCount(byHash(params)),
    eth_getUncleByBlockNumberAndIndex: () => null,
    eth_getUncleByBlockHashAndIndex: () => null,
    eth_getTransactionByHash: async (params) => {
      const hash = toHash(params, 0);
      const placed = await chain.transaction(hash);
      const transaction = placed?.block.transactions[placed.index] ?? chain.mempool.get(hash);
      return transaction ? formatTransaction(transaction, placed) : null;
    },
    eth_getRawTransactionByHash: async (params) => {
      const hash = toHash(params, 0);
      const placed = await chain.transaction(hash);
      return placed?.block.transactions[placed.index]?.raw ?? chain.mempool.get(hash)?.raw ?? null;
    },
    eth_getTransactionReceipt: async (params) => {
      const placed = await chain.transaction(toHash(params, 0));
      return placed ? formatReceipt(placed.block, placed.index) : null;
    },
    eth_getBlockReceipts: async (params) => {
      const found = await chain.findBlock(byNumber(params));
      return found ? found.receipts.map((_, index) => formatReceipt(found, index)) : null;
    },
    eth_getLogs: async (params) => queryLogs(chain, toLogQuery(required(params, 0))),
    eth_sendRawTransaction: async (params) => chain.mempool.add(toHexBytes(required(params, 0), 0)),
    eth_gasPrice: async () => {
      const head = await chain.requireBlock('latest');
      return numberToHex((await suggestTip(chain)) + chain.nextBaseFee(head));
    },
    eth_maxPriorityFeePerGas: async () => numberToHex(await suggestTip(chain)),
    eth_baseFee: async () => numberToHex(chain.nextBaseFee(await chain.requireBlock('latest'))),
    eth_blobBaseFee: async () => {
      const head = await chain.requireBlock('latest');
      return numberToHex(chain.engine.rules.nextBlobBaseFee(head.header) ?? 0n);
    },
    eth_feeHistory: (params) => feeHistory(chain, params),
  };
};
