import { attributionProof, contracts, readBatch } from '@openledger/client';
import { decodePage, outputIdOf } from '@openledger/contracts';
import { createPublicClient, encodeFunctionData, http } from 'viem';
import type { LaneNetwork } from './laneNetwork.ts';
import { randomFrom } from './makeBatches.ts';

export type Proven = { readonly proven: number; readonly gas: number; readonly bytes: number };

const BATCHES = 20;

/** Proves random attributions in the EVM against the node's state: AttributionLedger.proveAttribution by eth_call. */
export const proveRandomEvents = async (network: LaneNetwork, count: number): Promise<Proven> => {
  const client = createPublicClient({ transport: http(network.l2) });
  const random = randomFrom(11);
  const below = (limit: number) => Math.floor(random() * limit);
  const total = await client.readContract({ ...contracts.attributionLedger, functionName: 'batchCount' });
  const result = { proven: 0, gas: 0, bytes: 0 };
  for (let which = 0; which < BATCHES; which++) {
    const batch = await readBatch(client, BigInt(below(Number(total))));
    for (let i = 0; i < count / BATCHES; i++) {
      const page = below(batch.pages.length);
      const { size } = decodePage(batch.pages[page] as Uint8Array);
      const { place, output } = attributionProof(batch, { page, output: below(size) });
      const row = below(output.rows.length);
      const call = {
        ...contracts.attributionLedger,
        functionName: 'proveAttribution',
        args: [place, BigInt(row)],
      } as const;
      const [outputId, contributionId, weight] = await client.readContract(call);
      const expected = output.rows[row];
      if (
        outputId !== outputIdOf(output) ||
        contributionId !== expected?.contributionId ||
        weight !== expected.weight
      ) {
        throw new Error(`batch ${batch.batchIndex} page ${page}: the contract proves something else`);
      }
      result.proven++;
      result.bytes += (place.page.length - 2) / 2 + 32 * place.path.length;
      if (i === 0) result.gas += Number(await client.estimateGas({ to: call.address, data: encodeFunctionData(call) }));
    }
  }
  return { proven: result.proven, gas: result.gas / BATCHES, bytes: result.bytes / result.proven };
};
