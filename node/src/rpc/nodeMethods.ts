import type { ChainReader } from './chainReader.ts';
import type { Methods } from './dispatch.ts';
import { debugMethods } from './methods/debug.ts';
import { ethChainMethods } from './methods/ethChain.ts';
import { ethStateMethods } from './methods/ethState.ts';
import { filterMethods } from './methods/filters.ts';
import { nodeInfoMethods, type RollupStatus } from './methods/nodeInfo.ts';
import { txpoolMethods } from './methods/txpool.ts';

/** Everything that a node answers over JSON-RPC in public. */
export const nodeMethods = (chain: ChainReader, status: RollupStatus): Methods => ({
  ...ethStateMethods(chain),
  ...ethChainMethods(chain),
  ...filterMethods(chain),
  ...nodeInfoMethods(chain, status),
  ...txpoolMethods(chain),
  ...debugMethods(chain),
});
