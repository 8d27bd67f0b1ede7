import { type ErrorMeta, type Handling, OpenLedgerError } from '@openledger/kit';

const table = {
  TX_MALFORMED: ['reject', 'Check how the transaction was encoded and signed.'],
  TX_TYPE_UNSUPPORTED: ['reject', 'Send a type 0, 1, 2 or 4 transaction.'],
  TX_INVALID: ['reject', 'Correct the transaction and sign it again.'],
  TX_NONCE_TOO_LOW: ['reject', 'Use the next nonce of the account (eth_getTransactionCount with "pending").'],
  TX_NONCE_TOO_HIGH: ['reject', 'Fill the nonce gap first.'],
  TX_UNDERPRICED: ['reject', 'Raise the fee by at least 10%.'],
  TX_FEE_TOO_LOW: ['reject', 'Raise maxFeePerGas above the minimum.'],
  TX_INSUFFICIENT_FUNDS: ['reject', 'Bridge or transfer OPEN to the sender first; L1 data fee included.'],
  TX_GAS_TOO_HIGH: ['reject', 'Lower the gas limit.'],
  TX_TOO_LARGE: ['reject', 'Split the data over several transactions.'],
  TX_ALREADY_KNOWN: ['reject', 'The transaction is already waiting; nothing to do.'],
  TX_WRONG_CHAIN: ['reject', 'Sign for the chain id that eth_chainId returns.'],
  TX_UNPROTECTED: ['reject', 'Sign with replay protection (EIP-155).'],
  MEMPOOL_FULL: ['retry', 'Wait for blocks, or raise the fee.'],
  BLOCK_INVALID: ['reject', 'The block is not valid on its parent.'],
  BLOCK_UNKNOWN_PARENT: ['reset', 'Insert the parent first.'],
  BLOCK_GAS_EXCEEDED: ['reject', 'The block has no gas left for this transaction.'],
  DEPOSITS_INVALID: ['fatal', 'The deposits of a block must always execute; report this.'],
  STATE_MISSING: ['fatal', 'The data directory lacks state; rebuild it from L1.'],
  STORE_CORRUPT: ['fatal', 'Rebuild the data directory from L1.'],
  GENESIS_INVALID: ['fatal', 'Use a genesis.json as geth or op-geth writes it.'],
  GENESIS_CODE_MISSING: ['fatal', 'Run npm ci: a new genesis takes contract code from pinned packages.'],
  STORE_WRONG_CHAIN: ['fatal', 'Point --data-dir to the data of this chain, or to an empty folder.'],
  NOT_A_ROLLUP: ['reject', 'Ask a node of a rollup; plain Ethereum chains have no L1.'],
  UPGRADE_UNKNOWN: ['fatal', 'Activate this fork at genesis, or use a version of the node that knows its upgrade.'],
  DERIVATION_INCONSISTENT: ['reset', 'Derivation starts again from a point that stands.'],
  FINALITY_CONFLICT: ['fatal', 'L1 contradicts what it had finalized; check the L1 endpoint, then rebuild from L1.'],
  BLOB_MALFORMED: ['reject', 'The blob is skipped; encode data as ecotone/derivation.md says.'],
  FRAME_MALFORMED: ['reject', 'The batcher transaction is skipped; check what made its frames.'],
  BATCH_MALFORMED: ['reject', 'The rest of the channel is skipped; check what made its batches.'],
  BATCH_TRANSACTION_INVALID: ['reject', 'The span batch is skipped; check which transactions were put into it.'],
  CHANNEL_CLOSED: ['reject', 'Open another channel.'],
  L1_UNAVAILABLE: ['retry', 'Check the L1 RPC endpoint.'],
  L1_BAD_DATA: ['retry', 'The L1 endpoint gave data that does not verify; use another endpoint.'],
  L1_REORG: ['reset', 'L1 reorganised; the node walks back to the common ancestor.'],
  L1_TX_NONCE_USED: ['reset', 'Another transaction of the account has this nonce; keep its key to one process.'],
  L1_TX_UNDERPRICED: ['retry', 'The fee is raised by itself up to the configured cap.'],
  L1_TX_FEE_CAP: ['retry', 'L1 fees are above the cap; wait, or raise it.'],
  L1_INSUFFICIENT_FUNDS: ['retry', 'Send ETH to the account on L1; sending goes on by itself.'],
  L1_TX_REFUSED: ['retry', 'See what L1 says; sending is tried again.'],
  SYSTEM_CONFIG_UPDATE_INVALID: [
    'reject',
    'The update is skipped; send it again as the SystemConfig contract encodes it.',
  ],
  L1_WRONG_CHAIN: ['fatal', 'Point --l1 to the L1 of this rollup.'],
} as const satisfies Record<string, readonly [Handling, string]>;

export type NodeErrorCode = keyof typeof table;

export const nodeError = (code: NodeErrorCode, message: string, meta: ErrorMeta = {}, cause?: unknown) =>
  new OpenLedgerError(message, { code, handling: table[code][0], action: table[code][1], meta, cause });
