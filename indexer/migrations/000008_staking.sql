CREATE TABLE runners (
  runner address PRIMARY KEY,
  bond uint256 NOT NULL DEFAULT 0,
  total_stake uint256 NOT NULL DEFAULT 0,
  slashed uint256 NOT NULL DEFAULT 0,
  settled uint256 NOT NULL DEFAULT 0,
  settlement_count bigint NOT NULL DEFAULT 0
);
SELECT keep_history('runners', 'runner');

CREATE TABLE stakes (
  staker address NOT NULL,
  runner address NOT NULL,
  stake uint256 NOT NULL,
  position bigint NOT NULL,
  PRIMARY KEY (staker, runner)
);
CREATE INDEX stakes_runner ON stakes (runner, staker);
SELECT keep_history('stakes', 'staker', 'runner');

CREATE TABLE unbondings (
  position bigint PRIMARY KEY,
  account address NOT NULL,
  runner address NOT NULL,
  amount uint256 NOT NULL,
  withdrawable_at uint256 NOT NULL,
  timestamp bigint NOT NULL
);
CREATE INDEX unbondings_account ON unbondings (account, position);

CREATE TABLE withdrawals (
  position bigint PRIMARY KEY,
  account address NOT NULL,
  amount uint256 NOT NULL,
  timestamp bigint NOT NULL
);
CREATE INDEX withdrawals_account ON withdrawals (account, position);

CREATE TABLE slashes (
  position bigint PRIMARY KEY,
  runner address NOT NULL,
  amount uint256 NOT NULL,
  reason text NOT NULL,
  timestamp bigint NOT NULL
);
CREATE INDEX slashes_runner ON slashes (runner, position);
