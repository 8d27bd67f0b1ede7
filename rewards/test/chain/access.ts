import { predeploys } from '@openledger/chain-config';
import { parseEventLogs } from 'viem';
import type { Chain } from '../../../contracts/test/support/chain.ts';
import type { ChainAccess } from '../../src/chainAccess.ts';
import type { Call } from '../../src/challenge/challengeCalls.ts';
import type { ProvenChunk } from '../../src/trace/partView.ts';
import type { PlayedChain } from './playChain.ts';

type Sends = {
  send(from: string, name: string, args: unknown, value?: bigint): ReturnType<Chain['send']>;
  read(name: string, args: unknown): Promise<unknown>;
};

/** The played chain for one account, as a process has the real one. */
export const accessOf = async (
  chain: Chain,
  played: PlayedChain,
  from: `0x${string}`,
  platform: `0x${string}`,
): Promise<ChainAccess> => {
  const { rewards, disputes, recompute } = played;
  const contractOf = ({ address }: Call): Sends => {
    if (address === predeploys.rewards) return rewards as unknown as Sends;
    return (address === predeploys.rewardDisputes ? disputes : recompute) as unknown as Sends;
  };
  let reader = await played.reader();
  const fresh = async () => {
    reader = await played.reader();
  };
  return {
    reader: {
      head: () => fresh().then(() => reader.head()),
      read: async function* (start, options) {
        await fresh();
        yield* reader.read(start, options);
      },
      follow: (start) => reader.follow(start),
    },
    chainId: 1,
    rules: { platform },
    read: (call) => contractOf(call).read(call.functionName, call.args),
    send: async (call, value) => {
      played.take(await contractOf(call).send(from, call.functionName, call.args, value));
    },
    pages: async ({ index }) => played.pagesByBatch.get(index) ?? [],
    shown: async (epoch) => {
      const found = { trace: new Map<number, ProvenChunk>(), nodes: new Map<number, ProvenChunk>() };
      const logs = await chain.client.getLogs({ address: disputes.address, fromBlock: 0n });
      for (const { args } of parseEventLogs({ abi: disputes.abi, eventName: 'ChunkShown', logs })) {
        if (args.epoch !== epoch) continue;
        const chunk = { bytes: Uint8Array.from(Buffer.from(args.chunk.slice(2), 'hex')), proof: args.proof };
        (args.part === 0 ? found.trace : found.nodes).set(Number(args.index), chunk);
      }
      return found;
    },
    now: () => chain.now(),
  };
};
