import { describeError } from '@openledger/kit';
import { type NodeErrorCode, nodeError } from '../errors.ts';

/** EthereumJS says why a transaction can't be included in prose; this is where its prose becomes our codes and geth's words. */
const reasons: readonly (readonly [RegExp, NodeErrorCode, string])[] = [
  [/INTRINSIC_GAS_TOO_LOW|lower than the minimum gas limit/i, 'TX_INVALID', 'intrinsic gas too low'],
  [/less than the block's baseFeePerGas/i, 'TX_FEE_TOO_LOW', 'max fee per gas less than block base fee'],
  [/enough funds/i, 'TX_INSUFFICIENT_FUNDS', 'insufficient funds for gas * price + value'],
  [/EIP-3607|not EOA/i, 'TX_INVALID', 'sender not an eoa'],
  [/higher gas limit than the block/i, 'BLOCK_GAS_EXCEEDED', 'gas limit reached'],
];

export const toTransactionError = (cause: unknown) => {
  const text = describeError(cause);
  const nonces = /account has nonce of: (\d+) tx has nonce of: (\d+)/.exec(text);
  if (nonces?.[1] && nonces[2]) {
    const meta = { account: nonces[1], transaction: nonces[2] };
    return BigInt(nonces[2]) < BigInt(nonces[1])
      ? nodeError('TX_NONCE_TOO_LOW', 'nonce too low', meta)
      : nodeError('TX_NONCE_TOO_HIGH', 'nonce too high', meta);
  }
  for (const [pattern, code, message] of reasons) if (pattern.test(text)) return nodeError(code, message, {}, cause);
  return nodeError('TX_INVALID', 'transaction can not be executed', {}, cause);
};
