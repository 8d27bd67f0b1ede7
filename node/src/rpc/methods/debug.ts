import type { Block } from '../../primitives/block.ts';
import { encodeBlock } from '../../primitives/encodeBlock.ts';
import { encodeHeader } from '../../primitives/header.ts';
import { encodeReceipt } from '../../primitives/receipt.ts';
import type { ChainReader } from '../chainReader.ts';
import type { Methods } from '../dispatch.ts';
import type { Json } from '../format.ts';
import { type BlockSelector, required, toBlockSelector, toCallRequest, toHash } from '../params.ts';
import { serverError } from '../rpcError.ts';
import { CALL_GAS_CAP, simulateCall } from '../simulate.ts';
import { traceBlock } from '../trace/replay.ts';
import { toTracer } from '../trace/toTracer.ts';

/** Raw consensus encodings, and what happened inside transactions. */
export const debugMethods = (chain: ChainReader): Methods => {
  const block = (params: readonly unknown[]): Promise<Block> =>
    chain.requireBlock(toBlockSelector(required(params, 0), 0));
  const traced = async (found: Block, options: unknown): Promise<Json> => {
    const create = toTracer(options, 1);
    const results = await traceBlock(chain.engine, found, create);
    return results.map((result, index) => ({ txHash: found.transactions[index]?.hash ?? null, result }));
  };
  const known = async (selector: BlockSelector, name: string): Promise<Block> => {
    const found = await chain.findBlock(selector);
    if (!found) throw serverError(`block ${name} not found`);
    return found;
  };
  return {
    debug_getRawHeader: async (params) => encodeHeader((await block(params)).header),
    debug_getRawBlock: async (params) => encodeBlock(await block(params)),
    debug_getRawReceipts: async (params) => (await block(params)).receipts.map(encodeReceipt),
    debug_getRawTransaction: async (params) => {
      const placed = await chain.transaction(toHash(params, 0));
      return placed?.block.transactions[placed.index]?.raw ?? null;
    },
    debug_traceTransaction: async (params) => {
      const placed = await chain.transaction(toHash(params, 0));
      if (!placed) throw serverError('transaction not found');
      const [trace] = await traceBlock(chain.engine, placed.block, toTracer(params[1], 1), placed.index);
      return trace ?? null;
    },
    debug_traceBlockByNumber: async (params) => {
      const selector = toBlockSelector(required(params, 0), 0);
      const name = typeof selector === 'bigint' ? `#${selector}` : String(params[0]);
      return traced(await known(selector, name), params[1]);
    },
    debug_traceBlockByHash: async (params) => {
      const hash = toHash(params, 0);
      return traced(await known({ hash }, hash), params[1]);
    },
    debug_traceCall: async (params) => {
      const call = toCallRequest(required(params, 0), 0);
      const tracer = toTracer(params[2], 2)();
      const outcome = await simulateCall(chain, call, toBlockSelector(params[1], 1), { tracer });
      const success = outcome.error === undefined;
      return tracer.result({ gasLimit: call.gas ?? CALL_GAS_CAP, gasUsed: outcome.gasUsed, success });
    },
  };
};
