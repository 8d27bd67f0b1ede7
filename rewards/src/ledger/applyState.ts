import type { ChainEvent } from '@openledger/event-log';
import type { LedgerState } from './ledgerState.ts';

/** Folds everything but settlements: who owns, stakes, contributes. What it knows at a block's end counts for all of the block. */
export const applyState = (state: LedgerState, event: ChainEvent): void => {
  switch (event.type) {
    case 'ContributionAccepted': {
      const { contributionId, contributor, duplicateOf } = event.args;
      state.contributions.accept(Number(contributionId), state.accounts.number(contributor), Number(duplicateOf));
      return;
    }
    case 'BaseModelRegistered':
      state.modelOwners.set(Number(event.args.modelId), state.accounts.number(event.args.owner));
      return;
    case 'AdapterRegistered': {
      const { modelId, owner, jobId, parentId } = event.args;
      state.modelOwners.set(Number(modelId), state.accounts.number(owner));
      state.modelParents.set(Number(modelId), Number(parentId));
      state.modelJobs.set(Number(modelId), Number(jobId));
      return;
    }
    case 'ModelOwnershipTransferred':
      state.modelOwners.set(Number(event.args.modelId), state.accounts.number(event.args.to));
      return;
    case 'JobRequested':
      state.requesters.set(event.args.jobId, event.args.requester);
      return;
    case 'SplitSet': {
      const { version, owner, runner, contributors, stakers, platform } = event.args;
      state.splits.set(version, [
        BigInt(owner),
        BigInt(runner),
        BigInt(contributors),
        BigInt(stakers),
        BigInt(platform),
      ]);
      return;
    }
    case 'BondChanged':
      state.stakes.setBond(event.args.runner, event.args.bond);
      return;
    case 'StakeChanged':
      state.stakes.setStake(event.args.runner, event.args.staker, event.args.stake);
      return;
    default:
  }
};
