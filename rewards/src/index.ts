export { claimOf, computeEpoch, type EpochLedger, type Leaf } from './epoch.ts';
export { largestRemainder, type Share } from './largestRemainder.ts';
export { type Credit, defaultSplit, evolveLedger, initialLedger, type LedgerRules, type Role } from './ledger.ts';
export { findProposal, type Verification, verifyEpoch } from './verifyEpoch.ts';
