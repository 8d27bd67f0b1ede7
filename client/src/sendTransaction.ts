import {
  type Abi,
  type Account,
  type Address,
  BaseError,
  type Chain,
  ContractFunctionRevertedError,
  createPublicClient,
  createWalletClient,
  type Hash,
  http,
  type PublicClient,
  type TransactionReceipt,
  type Transport,
  type WalletClient,
} from 'viem';
import { allErrors } from './contracts.ts';
import { type Finality, waitForReceipt } from './waitForReceipt.ts';
import { whenRoom } from './whenRoom.ts';

export type OpenLedgerClient = {
  readonly public: PublicClient;
  readonly wallet: WalletClient<Transport, Chain, Account>;
  readonly account: Account;
  /** When a transaction counts as done; sequenced when left out. */
  readonly finality?: Finality;
};

/**
 * A viem pair for one account. `pollingInterval` in milliseconds; half a block time or less. With `finality: 'preconfirmed'`
 * transactions are done when the sequencer promised them, and what is read is the pending state, so that each sees the ones before.
 */
export const createOpenLedgerClient = (options: {
  chain: Chain;
  account: Account;
  pollingInterval?: number;
  finality?: Finality;
}): OpenLedgerClient => {
  const { chain, account, finality = 'sequenced' } = options;
  const shared = {
    chain,
    transport: http(undefined, { retryCount: 3 }),
    pollingInterval: options.pollingInterval ?? (finality === 'preconfirmed' ? 50 : 250),
    ...(finality === 'preconfirmed' ? { experimental_blockTag: 'pending' as const } : {}),
  };
  return {
    public: createPublicClient(shared) as PublicClient,
    wallet: createWalletClient({ ...shared, account }),
    account,
    finality,
  };
};

export type Call = {
  readonly address: Address;
  readonly abi: Abi | readonly unknown[];
  readonly functionName: string;
  readonly args?: readonly unknown[];
  readonly value?: bigint;
};

/** The contract said no. `errorName` and `args` are of its custom error. */
export class ContractRefusedError extends Error {
  override readonly name = 'ContractRefusedError';
  readonly code = 'TRANSACTION_REVERTED';
  readonly errorName: string;
  readonly args: readonly unknown[];

  constructor(call: Call, errorName: string, args: readonly unknown[], cause?: unknown) {
    super(`${call.functionName} was refused: ${errorName}(${args.map(String).join(', ')})`, { cause });
    this.errorName = errorName;
    this.args = args;
  }
}

/**
 * Simulates, sends and waits for the receipt, so that a refusal is told with the contract's own error before it costs
 * anything. A node without room is asked again for two minutes. @throws ContractRefusedError
 */
export const sendTransaction = async (client: OpenLedgerClient, call: Call): Promise<TransactionReceipt> => {
  const request = {
    address: call.address,
    abi: [...(call.abi as Abi), ...allErrors],
    functionName: call.functionName,
    args: call.args ?? [],
    account: client.account,
    ...(call.value === undefined ? {} : { value: call.value }),
  };
  let hash: Hash;
  try {
    await client.public.simulateContract(request);
    // Refuses as well when another transaction came between: it asks for the gas.
    hash = await whenRoom(() => client.wallet.writeContract({ ...request, chain: client.wallet.chain } as never));
  } catch (error) {
    throw refusal(call, error) ?? error;
  }
  const receipt = await waitForReceipt(client.public, hash, client.finality);
  if (receipt.status !== 'success') throw new ContractRefusedError(call, 'reverted in block', [hash]);
  return receipt;
};

const refusal = (call: Call, error: unknown): ContractRefusedError | undefined => {
  if (!(error instanceof BaseError)) return undefined;
  const reverted = error.walk((cause) => cause instanceof ContractFunctionRevertedError);
  if (!(reverted instanceof ContractFunctionRevertedError)) return undefined;
  const name = reverted.data?.errorName ?? reverted.reason ?? reverted.signature ?? 'unknown error';
  return new ContractRefusedError(call, name, reverted.data?.args ?? [], error);
};
