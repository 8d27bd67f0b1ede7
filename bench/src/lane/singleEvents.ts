import { decodePage, outputIdAt } from '@openledger/contracts';
import { concatHex, encodeFunctionData, type HDAccount, type Hex, parseAbi } from 'viem';
import { compile } from '../evm/compile.ts';
import { makeBatch, type Shape } from './makeBatches.ts';

const abi = parseAbi(['function attribute(bytes32 outputId, uint256 contributionId, uint256 weight)']);

/** Constructor that returns the code behind it: codecopy of all but its own eleven bytes. */
const RETURN_REST: Hex = '0x600b5981380380925939f3';

export const attributionsCode = (): { readonly runtime: Hex; readonly creation: Hex } => {
  const { Attributions: runtime } = compile(['Attributions']);
  return { runtime, creation: concatHex([RETURN_REST, runtime]) };
};

/** The attributions of a batch as a signed transaction each, from the senders in turn. */
export const makeSingleEvents = async (
  count: number,
  shape: Shape,
  signers: { senders: readonly HDAccount[]; chainId: number; nonces: number[]; contract: Hex },
): Promise<Hex[]> => {
  const transactions: Hex[] = [];
  for (const { outputId, contributionId, weight } of attributionsOf(makeBatch(7, count, shape).pages, count)) {
    const which = transactions.length % signers.senders.length;
    const nonce = signers.nonces[which] as number;
    signers.nonces[which] = nonce + 1;
    const raw = await (signers.senders[which] as HDAccount).signTransaction({
      type: 'eip1559',
      chainId: signers.chainId,
      nonce,
      to: signers.contract,
      data: encodeFunctionData({ abi, functionName: 'attribute', args: [outputId, contributionId, weight] }),
      gas: 60_000n,
      maxFeePerGas: 10n ** 10n,
      maxPriorityFeePerGas: 10n ** 6n,
    });
    transactions.push(raw);
  }
  return transactions;
};

const attributionsOf = (pages: readonly Uint8Array[], count: number) =>
  pages
    .map(decodePage)
    .flatMap((page) =>
      Array.from({ length: page.size }, (_, output) => output).flatMap((output) => {
        const outputId = outputIdAt(page, output);
        const rows = [...page.weights.keys()].slice(page.rowOffsets[output], page.rowOffsets[output + 1]);
        return rows.map((row) => ({
          outputId,
          contributionId: BigInt(page.contributionIds[row] as number),
          weight: BigInt(page.weights[row] as number),
        }));
      }),
    )
    .slice(0, count);
