import type { BlockHashes, ChainRules } from '../../execution/chainRules.ts';
import type { Block } from '../../primitives/block.ts';
import { type Header, hashHeader } from '../../primitives/header.ts';
import type { StateView } from '../../state/stateStore.ts';
import { applyStateOverrides, movePrecompiles } from '../stateOverrides.ts';
import { attributesAfter } from './chainProfile.ts';
import { type CallResult, executeCall } from './executeCall.ts';
import type { PlannedBlock } from './layOutBlocks.ts';

export type BlockResult = {
  readonly block: Omit<Block, 'l1Origin' | 'sequenceNumber'>;
  readonly calls: readonly CallResult[];
};

/** Executes one planned block on the state that the last one left, and seals it with real roots. */
export const simulateBlock = async (
  chain: { rules: ChainRules; view: StateView; parent: Header; blockHashes: BlockHashes },
  plan: PlannedBlock,
  options: { gasBudget: bigint; validation: boolean; traceTransfers: boolean },
): Promise<BlockResult> => {
  const { rules, view, parent, blockHashes } = chain;
  const { overrides } = plan;
  const state = view.manager;
  await applyStateOverrides(state, plan.state);
  const execution = await rules.begin({
    view,
    parent,
    attributes: attributesAfter(rules, parent, overrides),
    blockHashes,
  });
  const { baseFeePerGas, blobBaseFee } = overrides;
  // Without validation gas costs nothing: a call that offers no price isn't refused, and sees no base fee.
  const free = options.validation || execution.header.baseFeePerGas === undefined ? undefined : 0n;
  execution.setPrices({ baseFeePerGas: baseFeePerGas ?? free, blobBaseFee });
  const { precompiles } = execution.machine;
  const warm = [...precompiles.keys()];
  movePrecompiles(precompiles, plan.state);
  const calls: CallResult[] = [];
  let { gasBudget } = options;
  for (const call of plan.calls) {
    const result = await executeCall({ ...options, rules, state, execution, warm, gasBudget }, call);
    gasBudget -= result.gasUsed;
    calls.push(result);
  }
  const { stateWrites: _, ...sealed } = await execution.seal();
  const blobGasUsed = calls.reduce((sum, call) => sum + call.blobGasUsed, 0n);
  if (blobGasUsed === 0n) return { block: sealed, calls };
  const header: Header = { ...sealed.header, blobGasUsed };
  return { block: { ...sealed, header, hash: hashHeader(header) }, calls };
};
