import type { Suite } from './suite.ts';
import { badL1Data } from './suites/badL1Data.ts';
import { batcherTx } from './suites/batcherTx.ts';
import { blobs } from './suites/blobs.ts';
import { coreFormats } from './suites/coreFormats.ts';
import { genesis } from './suites/genesis.ts';
import { l1Cost } from './suites/l1Cost.ts';
import { literals } from './suites/literals.ts';
import { opBlocks } from './suites/opBlocks.ts';
import { rpc, rpcSimulate } from './suites/rpc.ts';
import { spanBatches } from './suites/spanBatches.ts';
import { state } from './suites/state.ts';
import { upgradeTxs } from './suites/upgradeTxs.ts';

/** In the order in which they are run. */
export const suites: readonly Suite[] = [
  coreFormats,
  genesis,
  literals,
  badL1Data,
  blobs,
  l1Cost,
  state,
  opBlocks,
  batcherTx,
  spanBatches,
  upgradeTxs,
  rpc,
  rpcSimulate,
];
