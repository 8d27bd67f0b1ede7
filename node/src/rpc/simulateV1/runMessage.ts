import type { Block as EvmBlock } from '@ethereumjs/block';
import type { Common } from '@ethereumjs/common';
import type { EVM } from '@ethereumjs/evm';
import type { MerkleStateManager } from '@ethereumjs/statemanager';
import { Account, createAddressFromString, Address as EvmAddress } from '@ethereumjs/util';
import { type Address, bytesToHex, type Hex, hexToBytes } from 'viem';
import { toLogs } from '../../execution/executeDeposit.ts';
import { accessListGasOf, chargedGas, getCalldataFloorGasFor, intrinsicGasOf } from '../../execution/intrinsicGas.ts';
import type { Log } from '../../primitives/receipt.ts';
import type { Authorization, CallRequest } from '../params.ts';
import { observe, type Tracer } from '../trace/tracer.ts';
import { AUTHORIZATION_GAS, applyAuthorizations } from './applyAuthorizations.ts';

/** What is executed of a call that nobody signed. Gas price in wei, as the GASPRICE opcode gives it. */
export type Message = {
  readonly from: Address;
  readonly to: Address | undefined;
  readonly value: bigint;
  readonly data: Uint8Array;
  readonly gasLimit: bigint;
  readonly gasPrice: bigint;
  readonly accessList: CallRequest['accessList'];
  readonly authorizations: readonly Authorization[];
  readonly blobHashes: readonly Hex[];
};

export type MessageOutcome = {
  readonly returned: Hex;
  /** EthereumJS's name of what went wrong. */
  readonly error: string | undefined;
  readonly gasUsed: bigint;
  /** The most that was used at any time, before refunds. */
  readonly maxUsedGas: bigint;
  readonly logs: readonly Log[];
  readonly contractAddress: Address | null;
  readonly accessList: readonly { address: Hex; storageKeys: readonly Hex[] }[];
};

/** Gas before the first opcode, and the least that is charged in the end (EIP-7623). */
export const gasBoundsOf = (
  { data, to, accessList, authorizations }: Pick<Message, 'data' | 'to' | 'accessList' | 'authorizations'>,
  common: Common,
): { intrinsic: bigint; floor: bigint } => ({
  intrinsic:
    intrinsicGasOf(data, to === undefined, common) +
    accessListGasOf(accessList) +
    AUTHORIZATION_GAS * BigInt(authorizations.length),
  floor: common.isActivatedEIP(7623) ? getCalldataFloorGasFor(data) : 0n,
});

const MAX_NONCE = (1n << 64n) - 1n;
const NONCE_BITS = 64;

/**
 * Executes a message as a transaction, without its checks and fees: both are the caller's, who also ends the journal's
 * transaction if another is to follow. `warm` are the precompiles' keys as the fork has them; overrides don't change them.
 */
export const runMessage = async (
  { evm, state, environment }: { evm: EVM; state: MerkleStateManager; environment: EvmBlock },
  message: Message,
  options: { reportAccessList?: boolean; tracer?: Tracer | undefined; warm?: Iterable<string> } = {},
): Promise<MessageOutcome> => {
  const { common, journal } = evm;
  const { intrinsic, floor } = gasBoundsOf(message, common);
  const from = createAddressFromString(message.from);
  const account = (await state.getAccount(from)) ?? new Account();
  // EIP-2681. Only a creation needs the number; a call of an account that nobody validates starts over at 0, as in geth.
  if (message.to === undefined && account.nonce === MAX_NONCE) return failedBefore(intrinsic, floor);
  account.nonce = BigInt.asUintN(NONCE_BITS, account.nonce + 1n);
  await journal.putAccount(from, account);
  if (options.reportAccessList) journal.startReportingAccessList?.();
  for (const precompile of options.warm ?? evm.precompiles.keys()) journal.addAlwaysWarmAddress(precompile);
  const coinbase = common.isActivatedEIP(3651) ? [environment.header.coinbase.toString()] : [];
  for (const warm of [message.from, ...coinbase, ...(message.to ? [message.to] : [])]) {
    journal.addAlwaysWarmAddress(warm.slice(2));
  }
  for (const { address, storageKeys } of message.accessList) {
    journal.addAlwaysWarmAddress(address.slice(2), true);
    for (const key of storageKeys) journal.addAlwaysWarmSlot(address.slice(2), key.slice(2), true);
  }
  const authorizationRefund = await applyAuthorizations(evm, state, message.authorizations);
  const run = () =>
    evm.runCall({
      block: environment,
      caller: from,
      origin: from,
      ...(message.to === undefined ? {} : { to: createAddressFromString(message.to) }),
      value: message.value,
      data: message.data,
      gasPrice: message.gasPrice,
      gasLimit: message.gasLimit - intrinsic,
      blobVersionedHashes: [...message.blobHashes],
      skipNonceIncrement: true,
    });
  const { execResult, createdAddress } = options.tracer ? await observe(evm, options.tracer, run) : await run();
  for (const destroyed of execResult.selfdestruct?.keys() ?? []) {
    const gone = !common.isActivatedEIP(6780) || (execResult.createdAddresses?.has(destroyed) ?? false);
    if (gone) await journal.deleteAccount(new EvmAddress(hexToBytes(destroyed)));
  }
  const failed = execResult.exceptionError !== undefined;
  const spent = intrinsic + execResult.executionGasUsed;
  const refund = authorizationRefund + (failed ? 0n : (execResult.gasRefund ?? 0n));
  const gasUsed = chargedGas(spent, refund, floor);
  return {
    returned: bytesToHex(execResult.returnValue),
    error: execResult.exceptionError?.error,
    gasUsed,
    maxUsedGas: spent > gasUsed ? spent : gasUsed,
    logs: failed ? [] : toLogs(execResult.logs),
    contractAddress: createdAddress && !failed ? (createdAddress.toString() as Address) : null,
    accessList: [...(journal.accessList ?? [])].map(([address, slots]) => ({
      address: `0x${address}`,
      storageKeys: [...slots].map((slot): Hex => `0x${slot}`),
    })),
  };
};

/** A creation that can't have an address; what isn't intrinsic comes back. */
const failedBefore = (intrinsic: bigint, floor: bigint): MessageOutcome => {
  const gasUsed = intrinsic > floor ? intrinsic : floor;
  const error = 'nonce uint64 overflow';
  return { returned: '0x', error, gasUsed, maxUsedGas: gasUsed, logs: [], contractAddress: null, accessList: [] };
};
