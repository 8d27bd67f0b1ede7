import { DEVNET_MNEMONIC } from '@openledger/chain-config';
import { sleep } from '@openledger/kit';
import { type HDAccount, type Hex, toHex } from 'viem';
import { mnemonicToAccount } from 'viem/accounts';
import { startAnvilProcess } from '../evm/anvilProcess.ts';
import type { LaneNetwork } from './laneNetwork.ts';
import { usual } from './makeBatches.ts';
import { rpc, type sendEach, sendMany } from './sendRaw.ts';
import { attributionsCode, makeSingleEvents } from './singleEvents.ts';

/** Transactions a second from the first one sent to the last one in a block, and gas of each. */
export type SingleRate = { readonly perSecond: number; readonly gas: number };

const EVENTS = 3_000;
const SENDERS = 20;
const FIRST_SENDER = 100;
const AT_ONCE = 500;

const senders = (): HDAccount[] =>
  Array.from({ length: SENDERS }, (_, index) =>
    mnemonicToAccount(DEVNET_MNEMONIC, { addressIndex: FIRST_SENDER + index }),
  );

type Receipt = { readonly gasUsed: Hex; readonly status: Hex; readonly contractAddress: Hex | null };

const receiptOf = async (url: string, raw: Hex | undefined): Promise<Receipt> => {
  const hash = await rpc<Hex>(url, 'eth_sendRawTransaction', [raw]);
  for (;;) {
    const receipt = await rpc<Receipt | null>(url, 'eth_getTransactionReceipt', [hash]);
    if (receipt) return receipt;
    await sleep(50);
  }
};

/**
 * The same attributions as a log-emitting transaction each, on anvil alone on the machine, mining as fast as it is fed: in
 * JSON-RPC batches, or with a request each.
 */
export const measureAnvilSingles = async (send: typeof sendMany | typeof sendEach): Promise<SingleRate> => {
  const chainId = 31_337;
  const contract: Hex = '0x00000000000000000000000000000000000a77b1';
  const { url, stop } = await startAnvilProcess(['--gas-limit', '1000000000']);
  try {
    const accounts = senders();
    for (const { address } of accounts) await rpc(url, 'anvil_setBalance', [address, toHex(10n ** 24n)]);
    await rpc(url, 'anvil_setCode', [contract, attributionsCode().runtime]);
    const nonces = accounts.map(() => 0);
    const raws = await makeSingleEvents(EVENTS, usual, { senders: accounts, chainId, nonces, contract });
    const started = performance.now();
    for (let at = 0; at < raws.length; at += AT_ONCE) {
      await send(url, raws.slice(at, at + AT_ONCE));
      await rpc(url, 'evm_mine', []);
    }
    const seconds = (performance.now() - started) / 1000;
    const block = await rpc<{ gasUsed: Hex; transactions: Hex[] }>(url, 'eth_getBlockByNumber', ['latest', false]);
    return { perSecond: EVENTS / seconds, gas: Number(block.gasUsed) / block.transactions.length };
  } finally {
    await stop();
  }
};

/** The same on our node, from the first one sent to the last one in a block. */
export const measureOurSingles = async (network: LaneNetwork): Promise<SingleRate> => {
  const accounts = senders();
  await network.fund(accounts.map(({ address }) => address));
  const [deployer] = accounts as [HDAccount];
  const creation = await deployer.signTransaction({
    type: 'eip1559',
    chainId: network.chainId,
    nonce: 0,
    data: attributionsCode().creation,
    gas: 1_000_000n,
    maxFeePerGas: 10n ** 10n,
    maxPriorityFeePerGas: 10n ** 6n,
  });
  const { contractAddress, status } = await receiptOf(network.l2, creation);
  if (!contractAddress || status !== '0x1') throw new Error('the contract of the peer was not created');
  const nonces = accounts.map((_, index) => (index === 0 ? 1 : 0));
  const signers = { senders: accounts, chainId: network.chainId, nonces, contract: contractAddress };
  const raws = await makeSingleEvents(EVENTS, usual, signers);
  const last = raws.pop();
  const started = performance.now();
  await sendMany(network.l2, raws);
  // The last sender's last: when it is in a block, so are all before it.
  const { gasUsed } = await receiptOf(network.l2, last);
  const latest = async () => rpc<Hex>(network.l2, 'eth_getTransactionCount', [deployer.address, 'latest']);
  while (Number(await latest()) < (nonces[0] as number)) await sleep(50);
  return { perSecond: EVENTS / ((performance.now() - started) / 1000), gas: Number(gasUsed) };
};
