import type { Projection } from './projection.ts';

/** Runners' bonds and where they are reached, who stakes on whom, and what was taken back or slashed. */
export const staking: Projection = {
  name: 'staking',
  on: {
    BondChanged: ({ runner, bond }, _at, changes) => changes.upsert('runners', { runner }, { bond }),
    StakeChanged: ({ staker, runner, stake, runnerTotal }, { position }, changes) => {
      changes.upsert('stakes', { staker, runner }, { stake, position });
      changes.upsert('runners', { runner }, { total_stake: runnerTotal });
    },
    UnbondRequested: ({ account, runner, amount, withdrawableAt }, at, changes) =>
      changes.insert('unbondings', { account, runner, amount, withdrawable_at: withdrawableAt, ...at }),
    Withdrawn: ({ account, amount }, at, changes) => changes.insert('withdrawals', { account, amount, ...at }),
    EndpointAnnounced: ({ runner, endpoint }, _at, changes) =>
      changes.upsert('runners', { runner }, { endpoint: endpoint === '' ? null : endpoint }),
    Slashed: ({ runner, amount, reason }, at, changes) => {
      changes.insert('slashes', { runner, amount, reason, ...at });
      changes.upsert('runners', { runner }, {}, { slashed: amount });
    },
  },
};
