import type { Address, Hex } from 'viem';

/** Ethereum JSON-RPC objects (ethereum/execution-apis), as far as they are hashed. Quantities are hex. */
export type RpcHeader = {
  readonly hash: Hex;
  readonly parentHash: Hex;
  readonly sha3Uncles: Hex;
  readonly miner: Address;
  readonly stateRoot: Hex;
  readonly transactionsRoot: Hex;
  readonly receiptsRoot: Hex;
  readonly logsBloom: Hex;
  readonly difficulty: Hex;
  readonly number: Hex;
  readonly gasLimit: Hex;
  readonly gasUsed: Hex;
  readonly timestamp: Hex;
  readonly extraData: Hex;
  readonly mixHash: Hex;
  readonly nonce: Hex;
  readonly baseFeePerGas?: Hex | null;
  readonly withdrawalsRoot?: Hex | null;
  readonly blobGasUsed?: Hex | null;
  readonly excessBlobGas?: Hex | null;
  readonly parentBeaconBlockRoot?: Hex | null;
  readonly requestsHash?: Hex | null;
};

export type RpcWithdrawal = {
  readonly index: Hex;
  readonly validatorIndex: Hex;
  readonly address: Address;
  /** Gwei. */
  readonly amount: Hex;
};

export type RpcBlock = RpcHeader & {
  /** Hashes unless the whole transactions were asked for. */
  readonly transactions: readonly (RpcTransaction | Hex)[];
  readonly withdrawals?: readonly RpcWithdrawal[] | null;
};

export type RpcTransaction = {
  readonly hash: Hex;
  readonly type?: Hex | null;
  readonly from: Address;
  readonly to?: Address | null;
  readonly nonce: Hex;
  readonly gas: Hex;
  readonly value: Hex;
  readonly input: Hex;
  readonly chainId?: Hex | null;
  readonly gasPrice?: Hex;
  readonly maxPriorityFeePerGas?: Hex;
  readonly maxFeePerGas?: Hex;
  readonly maxFeePerBlobGas?: Hex;
  readonly accessList?: readonly { readonly address: Address; readonly storageKeys: readonly Hex[] }[];
  readonly blobVersionedHashes?: readonly Hex[];
  readonly authorizationList?: readonly {
    readonly chainId: Hex;
    readonly address: Address;
    readonly nonce: Hex;
    readonly yParity: Hex;
    readonly r: Hex;
    readonly s: Hex;
  }[];
  readonly v?: Hex;
  readonly yParity?: Hex;
  readonly r: Hex;
  readonly s: Hex;
};

export type RpcReceipt = {
  readonly type?: Hex | null;
  /** Absent before Byzantium, where `root` stands instead. */
  readonly status?: Hex;
  readonly root?: Hex;
  readonly cumulativeGasUsed: Hex;
  readonly logsBloom: Hex;
  readonly logs: readonly { readonly address: Address; readonly topics: readonly Hex[]; readonly data: Hex }[];
};
