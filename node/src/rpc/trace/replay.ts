import type { Engine } from '../../engine/engine.ts';
import { attributesOf } from '../../engine/executePayload.ts';
import type { Block } from '../../primitives/block.ts';
import type { Json } from '../format.ts';
import { serverError } from '../rpcError.ts';
import { observe, type Tracer } from './tracer.ts';

/**
 * Executes a stored block again on its parent's state, up to transaction `last`, and traces those that `wanted` names.
 * Nothing is written.
 */
export const traceBlock = async (
  engine: Engine,
  block: Block,
  createTracer: () => Tracer,
  only?: number,
): Promise<Json[]> => {
  if (block.header.number === 0n) throw serverError('genesis is not traceable');
  const execution = await engine.begin(block.header.parentHash, attributesOf(block));
  const traces: Json[] = [];
  for (const [index, transaction] of block.transactions.entries()) {
    if (only !== undefined && index !== only) {
      await execution.apply(transaction);
      continue;
    }
    const tracer = createTracer();
    const receipt = await observe(execution.machine, tracer, () => execution.apply(transaction));
    const gasLimit = transaction.kind === 'deposit' ? transaction.deposit.gas : transaction.tx.gasLimit;
    traces.push(tracer.result({ gasLimit, gasUsed: receipt.gasUsed, success: receipt.success }));
    if (index === only) break;
  }
  return traces;
};
