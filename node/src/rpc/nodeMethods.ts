import type { L1Source } from '../l1/l1Source.ts';
import type { ChainReader } from './chainReader.ts';
import type { Methods } from './dispatch.ts';
import { debugMethods } from './methods/debug.ts';
import { ethChainMethods } from './methods/ethChain.ts';
import { ethStateMethods } from './methods/ethState.ts';
import { filterMethods } from './methods/filters.ts';
import { nodeInfoMethods } from './methods/nodeInfo.ts';
import { txpoolMethods } from './methods/txpool.ts';

/** Everything that a node answers over JSON-RPC in public. */
export const nodeMethods = (chain: ChainReader, l1: Pick<L1Source, 'head'>): Methods => ({
  ...ethStateMethods(chain),
  ...ethChainMethods(chain),
  ...filterMethods(chain),
  ...nodeInfoMethods(chain, l1),
  ...txpoolMethods(chain),
  ...debugMethods(chain),
});
