import type { Address, HDAccount, Hex, TransactionReceipt } from 'viem';
import { createTestClient, formatTransactionReceipt, http, numberToHex, publicActions, walletActions } from 'viem';
import { mnemonicToAccount } from 'viem/accounts';
import { anvil } from 'viem/chains';
import { afterAll, afterEach, beforeEach } from 'vitest';
import { startAnvil } from './anvil.ts';

export interface Transaction {
  from: Address;
  to?: Address;
  data?: Hex;
  value?: bigint;
}

export type Chain = Awaited<ReturnType<typeof startChain>>;

/** Anvil's own accounts; the same keys sign typed data here. */
export const accounts = Array.from({ length: 12 }, (_, addressIndex) =>
  mnemonicToAccount('test test test test test test test test test test test junk', { addressIndex }),
);

export function account(index: number): HDAccount {
  const found = accounts[index];
  if (found === undefined) throw new RangeError(`anvil has no account ${index}`);
  return found;
}

/** Enough for every call of the suite; stated, so that no transaction has to be estimated first. */
const GAS = numberToHex(30_000_000);

/** One chain for the whole test file. Call it at the top level. */
export async function startChain() {
  const process = await startAnvil();
  const client = createTestClient({
    mode: 'anvil',
    chain: anvil,
    transport: http(process.url),
    cacheTime: 0,
  })
    .extend(publicActions)
    .extend(walletActions);
  const rpc = client.request as unknown as (request: { method: string; params?: unknown[] }) => Promise<never>;
  afterAll(() => process.stop());

  const envelope = ({ from, to, data, value = 0n }: Transaction) => ({
    from,
    to,
    data,
    value: numberToHex(value),
    gas: GAS,
    gasPrice: '0x0',
  });

  return {
    client,
    rpc,
    /** Mines one transaction; the receipt says whether it succeeded. */
    async send(transaction: Transaction): Promise<TransactionReceipt> {
      const receipt = await rpc({ method: 'eth_sendTransactionSync', params: [envelope(transaction)] });
      return formatTransactionReceipt(receipt);
    },
    /** Leaves the transaction in the pool. */
    enqueue: (transaction: Transaction): Promise<Hex> =>
      rpc({ method: 'eth_sendTransaction', params: [envelope(transaction)] }),
    call: (transaction: Transaction): Promise<Hex> =>
      rpc({ method: 'eth_call', params: [envelope(transaction), 'latest'] }),
    balance: (address: Address) => client.getBalance({ address }),
    now: async () => (await client.getBlock()).timestamp,
    /** Mines a block of exactly this time; calls then see it. */
    async at(timestamp: bigint) {
      await client.setNextBlockTimestamp({ timestamp });
      await client.mine({ blocks: 1 });
    },
    /** The next transaction's block has exactly this time. */
    next: (timestamp: bigint) => client.setNextBlockTimestamp({ timestamp }),
    async warp(seconds: bigint) {
      await this.at((await this.now()) + seconds);
    },
  };
}

/** Every test starts from the state at the time of this call. */
export function isolateTests(chain: Chain) {
  let snapshot: Hex;
  beforeEach(async () => {
    snapshot = await chain.client.snapshot();
  });
  afterEach(() => chain.client.revert({ id: snapshot }));
}
