import type { EVM } from '@ethereumjs/evm';
import type { MerkleStateManager } from '@ethereumjs/statemanager';
import {
  Account,
  type Address,
  eoaCode7702RecoverAuthority,
  MAX_UINT64,
  SECP256K1_ORDER_DIV_2,
} from '@ethereumjs/util';
import { concatBytes, hexToBytes, numberToBytes } from 'viem';
import type { Authorization } from '../params.ts';

/** EIP-7702: what is paid for each entry before execution, and what comes back when its signer's account exists. */
export const AUTHORIZATION_GAS = 25_000n;
const EXISTING_ACCOUNT_REFUND = 12_500n;

const DELEGATION_PREFIX = hexToBytes('0xef0100');
const NOBODY = `0x${'00'.repeat(20)}`;

/** Installs the delegations that are valid and skips the others, as a transaction does. Gives the gas to refund. */
export const applyAuthorizations = async (
  evm: EVM,
  state: MerkleStateManager,
  authorizations: readonly Authorization[],
): Promise<bigint> => {
  let refund = 0n;
  for (const authorization of authorizations) {
    const authority = recoverAuthority(authorization, evm.common.chainId());
    if (!authority) continue;
    evm.journal.addAlwaysWarmAddress(authority.toString().slice(2));
    const found = await state.getAccount(authority);
    const code = await state.getCode(authority);
    if (code.length > 0 && !isDelegation(code)) continue;
    const account = found ?? new Account();
    if (account.nonce !== authorization.nonce) continue;
    if (found) refund += EXISTING_ACCOUNT_REFUND;
    account.nonce += 1n;
    await evm.journal.putAccount(authority, account);
    const { address } = authorization;
    const cleared = address === NOBODY;
    if (!cleared || code.length > 0) {
      await state.putCode(
        authority,
        cleared ? new Uint8Array() : concatBytes([DELEGATION_PREFIX, hexToBytes(address)]),
      );
    }
  }
  return refund;
};

const isDelegation = (code: Uint8Array): boolean => DELEGATION_PREFIX.every((byte, index) => code[index] === byte);

/** Who signed; undefined when the entry isn't for this chain or not signed well. */
const recoverAuthority = (entry: Authorization, chainId: bigint): Address | undefined => {
  if (entry.chainId !== 0n && entry.chainId !== chainId) return undefined;
  if (entry.nonce >= MAX_UINT64 || entry.s > SECP256K1_ORDER_DIV_2 || entry.yParity > 1n) return undefined;
  try {
    return eoaCode7702RecoverAuthority(toTuple(entry));
  } catch {
    // r or s is out of the curve's range, or no key fits: the entry is as if it weren't there.
    return undefined;
  }
};

type Tuple = [Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array];

/** Numbers without leading zeros, as RLP has them. */
const integer = (value: bigint): Uint8Array => (value === 0n ? new Uint8Array() : numberToBytes(value));

/** An entry as a transaction carries it. */
export const toTuple = ({ chainId, address, nonce, yParity, r, s }: Authorization): Tuple => [
  integer(chainId),
  hexToBytes(address),
  integer(nonce),
  integer(yParity),
  integer(r),
  integer(s),
];
