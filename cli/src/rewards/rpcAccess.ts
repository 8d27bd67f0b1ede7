import { predeploys } from '@openledger/chain-config';
import { contracts, type OpenLedgerClient, sendTransaction } from '@openledger/client';
import { contractErrorsAbi, rewardDisputesAbi } from '@openledger/contracts';
import type { EventReader } from '@openledger/event-log';
import { OpenLedgerError } from '@openledger/kit';
import type { ChainAccess, LedgerRules, ProvenChunk } from '@openledger/rewards';
import { type Abi, decodeFunctionData, type Hex, hexToBytes, type PublicClient } from 'viem';

const chunkShown = rewardDisputesAbi.find((item) => item.type === 'event' && item.name === 'ChunkShown');

/** The chain by JSON-RPC. Without a client that has a key nothing can be sent. */
export const rpcAccess = (options: {
  reader: EventReader;
  chainId: number;
  rules: LedgerRules;
  public: PublicClient;
  client?: OpenLedgerClient;
}): ChainAccess => ({
  reader: options.reader,
  chainId: options.chainId,
  rules: options.rules,
  read: (call) => options.public.readContract({ ...call, abi: [...call.abi, ...contractErrorsAbi] as Abi }),
  send: async (call, value) => {
    if (!options.client) throw noKey();
    await sendTransaction(options.client, { ...call, ...(value === undefined ? {} : { value }) });
  },
  pages: async ({ blockNumber, txIndex }) => {
    return pagesIn(await options.public.getTransaction({ blockNumber, index: txIndex }));
  },
  shown: async (epoch) => {
    const found = { trace: new Map<number, ProvenChunk>(), nodes: new Map<number, ProvenChunk>() };
    if (chunkShown?.type !== 'event') return found;
    const logs = await options.public.getLogs({
      address: predeploys.rewardDisputes,
      event: chunkShown,
      args: { epoch },
      fromBlock: 0n,
      strict: true,
    });
    for (const { args } of logs) {
      const part = args.part === 0 ? found.trace : found.nodes;
      part.set(Number(args.index), { bytes: hexToBytes(args.chunk), proof: args.proof });
    }
    return found;
  },
  now: async () => (await options.public.getBlock()).timestamp,
});

/** The pages are the last argument of each call that carries a batch. */
const pagesIn = ({ to, input }: { to: Hex | null; input: Hex }): Uint8Array[] => {
  const called = [contracts.jobs, contracts.attributionLedger].find(({ address }) => address === to?.toLowerCase());
  const pages = called && decodeFunctionData({ abi: called.abi as Abi, data: input }).args?.at(-1);
  return Array.isArray(pages) ? pages.map((page: Hex) => hexToBytes(page)) : [];
};

const noKey = () =>
  new OpenLedgerError('this needs an account that sends', {
    code: 'KEY_MISSING',
    handling: 'fatal',
    action: 'Give --key-file, or OPENLEDGER_INSECURE_PRIVATE_KEY.',
  });
