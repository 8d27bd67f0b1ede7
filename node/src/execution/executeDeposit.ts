import type { Block } from '@ethereumjs/block';
import type { EVM } from '@ethereumjs/evm';
import type { MerkleStateManager } from '@ethereumjs/statemanager';
import { Account, Address, createAddressFromString } from '@ethereumjs/util';
import { bytesToHex, type Hex, hexToBytes } from 'viem';
import type { DepositTransaction } from '../primitives/depositTransaction.ts';
import type { Log } from '../primitives/receipt.ts';
import { chargedGas, getCalldataFloorGasFor, intrinsicGasOf } from './intrinsicGas.ts';

export type DepositOutcome = {
  readonly success: boolean;
  readonly gasUsed: bigint;
  readonly logs: readonly Log[];
  readonly depositNonce: bigint;
  readonly contractAddress: Hex | null;
  readonly returnData: Uint8Array;
};

/**
 * Executes a deposit (specs/protocol/deposits.md). It can't fail as a block: when its call fails or can't start, the mint
 * stays, the nonce rises, all of its gas counts as used when it could not start. Before Regolith a deposit is charged for
 * all of its gas, and a system transaction for none.
 */
export const executeDeposit = async (
  evm: EVM,
  state: MerkleStateManager,
  block: Block,
  deposit: DepositTransaction,
  options: { readonly regolith: boolean } = { regolith: true },
): Promise<DepositOutcome> => {
  const { common } = evm;
  const from = createAddressFromString(deposit.from);
  const data = hexToBytes(deposit.data);
  await evm.journal.cleanup();
  const account = (await state.getAccount(from)) ?? new Account();
  const depositNonce = account.nonce;
  account.balance += deposit.mint;
  account.nonce += 1n;
  await evm.journal.putAccount(from, account);

  const intrinsic = intrinsicGasOf(data, deposit.to === null, common);
  const floor = common.isActivatedEIP(7623) ? getCalldataFloorGasFor(data) : 0n;
  const unmetered = deposit.isSystemTransaction ? 0n : deposit.gas;
  const startable =
    deposit.gas >= intrinsic && deposit.gas >= floor && account.balance >= deposit.value && deposit.gas > 0n;
  const finish = async (outcome: Omit<DepositOutcome, 'depositNonce'>): Promise<DepositOutcome> => {
    await evm.journal.cleanup();
    state.originalStorageCache.clear();
    return { ...outcome, depositNonce, gasUsed: options.regolith ? outcome.gasUsed : unmetered };
  };
  if (!startable) {
    return finish({
      success: false,
      gasUsed: deposit.gas,
      logs: [],
      contractAddress: null,
      returnData: new Uint8Array(),
    });
  }

  for (const precompile of evm.precompiles.keys()) evm.journal.addAlwaysWarmAddress(precompile);
  const coinbase = common.isActivatedEIP(3651) ? [block.header.coinbase] : [];
  for (const warm of [from, ...coinbase, ...(deposit.to ? [createAddressFromString(deposit.to)] : [])]) {
    evm.journal.addAlwaysWarmAddress(bytesToHex(warm.bytes).slice(2));
  }
  const { execResult, createdAddress } = await evm.runCall({
    block,
    caller: from,
    origin: from,
    ...(deposit.to === null ? {} : { to: createAddressFromString(deposit.to) }),
    value: deposit.value,
    data,
    gasPrice: 0n,
    gasLimit: deposit.gas - intrinsic,
    skipNonceIncrement: true,
  });
  const success = execResult.exceptionError === undefined;
  if (success) {
    for (const destroyed of execResult.selfdestruct?.keys() ?? []) {
      const gone = !common.isActivatedEIP(6780) || (execResult.createdAddresses?.has(destroyed) ?? false);
      if (gone) await evm.journal.deleteAccount(new Address(hexToBytes(destroyed)));
    }
  }
  const spent = intrinsic + execResult.executionGasUsed;
  const refund = success ? (execResult.gasRefund ?? 0n) : 0n;
  return finish({
    success,
    gasUsed: chargedGas(spent, refund, floor),
    logs: success ? toLogs(execResult.logs) : [],
    contractAddress: createdAddress ? (createdAddress.toString() as Hex) : null,
    returnData: execResult.returnValue,
  });
};

/** EthereumJS logs are tuples of bytes. */
export const toLogs = (logs: readonly [Uint8Array, Uint8Array[], Uint8Array][] | undefined): Log[] =>
  (logs ?? []).map(([address, topics, data]) => ({
    address: bytesToHex(address),
    topics: topics.map((topic) => bytesToHex(topic)),
    data: bytesToHex(data),
  }));
