import type { Common } from '@ethereumjs/common';
import { Account, createAddressFromString } from '@ethereumjs/util';
import type { PutOp } from '@openledger/event-log';
import { type Address, bytesToHex, type Hex, hexToBigInt, hexToBytes, pad, trim } from 'viem';
import {
  EMPTY_REQUESTS_HASH,
  EMPTY_TRIE_ROOT,
  EMPTY_UNCLES_HASH,
  type Header,
  ZERO_HASH,
} from '../primitives/header.ts';
import type { StateStore, StateView } from '../state/stateStore.ts';
import type { GenesisAccount, GenesisAlloc } from './genesisMachine.ts';

/** The fields of block 0's header that its state doesn't determine. Wei, gas. */
export type GenesisHeader = {
  readonly number: bigint;
  readonly parentHash: Hex;
  readonly coinbase: Address;
  readonly difficulty: bigint;
  readonly gasLimit: bigint;
  readonly gasUsed: bigint;
  readonly extraData: Hex;
  readonly mixHash: Hex;
  readonly nonce: Hex;
  /** One gwei where none is stated. */
  readonly baseFeePerGas?: bigint;
  readonly blobGasUsed?: bigint;
  readonly excessBlobGas?: bigint;
};

/** Block 0 of any Ethereum chain, as a genesis file states it. */
export type BlockZero = {
  readonly alloc: GenesisAlloc;
  /** Unix seconds. */
  readonly timestamp: bigint;
  readonly header: GenesisHeader;
};

const INITIAL_BASE_FEE = 1_000_000_000n;

/** Header and state of block 0 under `common`'s rules, with the storage roots of accounts that have storage. */
export const makeBlockZero = async (
  { alloc, timestamp, header }: BlockZero,
  states: StateStore,
  common: Common,
): Promise<{ header: Header; storageRoots: ReadonlyMap<string, Hex>; stateWrites: PutOp[] }> => {
  const view = await states.at(EMPTY_TRIE_ROOT, common);
  for (const [address, account] of Object.entries(alloc)) await putAccount(view, address as Address, account);
  await view.manager.flush();
  const stateRoot = bytesToHex(await view.manager.getStateRoot());
  const storageRoots = new Map<string, Hex>();
  for (const [address, { storage }] of Object.entries(alloc)) {
    if (Object.keys(storage).length === 0) continue;
    const account = await view.manager.getAccount(createAddressFromString(address));
    if (account) storageRoots.set(address.toLowerCase(), bytesToHex(account.storageRoot));
  }
  return {
    header: headerOf(header, timestamp, stateRoot, common),
    storageRoots,
    stateWrites: view.writesFor(stateRoot),
  };
};

const putAccount = async ({ manager }: StateView, address: Address, account: GenesisAccount): Promise<void> => {
  const target = createAddressFromString(address.toLowerCase());
  await manager.putAccount(target, new Account(account.nonce, account.balance));
  if (account.code !== '0x') await manager.putCode(target, hexToBytes(account.code));
  for (const [slot, value] of Object.entries(account.storage)) {
    if (hexToBigInt(value) === 0n) continue;
    await manager.putStorage(target, hexToBytes(pad(slot as Hex)), hexToBytes(trim(value)));
  }
};

/** A field is there when the EIP that brought it is active. */
const headerOf = (header: GenesisHeader, timestamp: bigint, stateRoot: Hex, common: Common): Header => ({
  parentHash: header.parentHash,
  sha3Uncles: EMPTY_UNCLES_HASH,
  miner: header.coinbase,
  stateRoot,
  transactionsRoot: EMPTY_TRIE_ROOT,
  receiptsRoot: EMPTY_TRIE_ROOT,
  logsBloom: `0x${'00'.repeat(256)}`,
  difficulty: header.difficulty,
  number: header.number,
  gasLimit: header.gasLimit,
  gasUsed: header.gasUsed,
  timestamp,
  extraData: header.extraData,
  mixHash: header.mixHash,
  nonce: header.nonce,
  ...(common.isActivatedEIP(1559) && { baseFeePerGas: header.baseFeePerGas ?? INITIAL_BASE_FEE }),
  ...(common.isActivatedEIP(4895) && { withdrawalsRoot: EMPTY_TRIE_ROOT }),
  ...(common.isActivatedEIP(4844) && {
    blobGasUsed: header.blobGasUsed ?? 0n,
    excessBlobGas: header.excessBlobGas ?? 0n,
  }),
  ...(common.isActivatedEIP(4788) && { parentBeaconBlockRoot: ZERO_HASH }),
  ...(common.isActivatedEIP(7685) && { requestsHash: EMPTY_REQUESTS_HASH }),
});
