export { type ArchivedBatch, readBatches } from './challenge/batchArchive.ts';
export { type Evidence, evidenceOf, type OpenedBatch, type Scan } from './challenge/evidence.ts';
export { computeEpoch, type EpochLedger, type EpochRange } from './epoch/computeEpoch.ts';
export { findProposal, lastFinalBlock, type Proposal, readEpochs } from './epoch/epochs.ts';
export { type Leaf, RewardTree, type TreeDump } from './epoch/rewardTree.ts';
export type { CreditSink, Receipt, Role, Witness } from './ledger/creditSink.ts';
export type { LedgerRules } from './ledger/ledgerState.ts';
