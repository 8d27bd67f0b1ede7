import type { BlockId } from '@openledger/chain-config';
import { type Address, decodeFunctionResult, encodeFunctionData, type Hex, hexToBigInt } from 'viem';
import { nodeError } from '../errors.ts';
import { optimismArtifact } from '../genesis/optimismArtifacts.ts';
import { createL1Rpc, type FetchLimits, L1RequestRefused, orUnavailable } from '../l1/l1Rpc.ts';

/** L2OutputOracle on L1, as its proposer uses it (specs/protocol/proposals.md). @throws L1_UNAVAILABLE of every method */
export type OutputOracle = {
  readonly address: Address;
  /** The only L2 block whose output it takes next. */
  nextBlockNumber(): Promise<bigint>;
  proposer(): Promise<Address>;
  /** The L1 block that proposals name: the latest's parent, whose hash is known to contracts also in a call on the latest. */
  l1Reference(): Promise<BlockId>;
  /** Calldata of a proposal. L1's block proves to the oracle that the proposer sees the same L1. */
  proposal(output: { outputRoot: Hex; l2BlockNumber: bigint; l1: BlockId }): Hex;
  /** @throws OUTPUT_REFUSED when the oracle would not take it now */
  estimateGas(from: Address, data: Hex): Promise<bigint>;
};

/** `url` of L1's JSON-RPC. */
export const createOutputOracle = (options: { url: string; address: Address; limits?: FetchLimits }): OutputOracle => {
  const { address } = options;
  const { abi } = optimismArtifact('L2OutputOracle');
  const rpc = createL1Rpc(options.url, options.limits);
  const read = async (functionName: string): Promise<unknown> => {
    const data = encodeFunctionData({ abi, functionName });
    const result = await rpc<Hex>('eth_call', [{ to: address, data }, 'latest']).catch(orUnavailable);
    return decodeFunctionResult({ abi, functionName, data: result });
  };
  return {
    address,
    nextBlockNumber: async () => (await read('nextBlockNumber')) as bigint,
    proposer: async () => (await read('proposer')) as Address,
    l1Reference: async () => {
      type Latest = { parentHash: Hex; number: Hex };
      const latest = await rpc<Latest>('eth_getBlockByNumber', ['latest', false]).catch(orUnavailable);
      return { hash: latest.parentHash, number: hexToBigInt(latest.number) - 1n };
    },
    proposal: ({ outputRoot, l2BlockNumber, l1 }) =>
      encodeFunctionData({
        abi,
        functionName: 'proposeL2Output',
        args: [outputRoot, l2BlockNumber, l1.hash, l1.number],
      }),
    estimateGas: async (from, data) => {
      try {
        return hexToBigInt(await rpc<Hex>('eth_estimateGas', [{ from, to: address, data }, 'latest']));
      } catch (error) {
        if (!(error instanceof L1RequestRefused)) throw error;
        throw nodeError('OUTPUT_REFUSED', `L2OutputOracle refuses the output: ${error.message.slice(0, 200)}`);
      }
    },
  };
};
