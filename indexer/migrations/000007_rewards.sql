CREATE TABLE fundings (
  funding_id uint256 PRIMARY KEY,
  source address NOT NULL,
  amount uint256 NOT NULL,
  total_funded uint256 NOT NULL,
  position bigint NOT NULL,
  timestamp bigint NOT NULL
);

CREATE TABLE reward_epochs (
  epoch uint256 PRIMARY KEY,
  proposer address NOT NULL,
  root hash32 NOT NULL,
  prev_root hash32 NOT NULL,
  data_hash hash32 NOT NULL,
  trace_root hash32 NOT NULL,
  tree_root hash32 NOT NULL,
  records uint256 NOT NULL,
  accounts uint256 NOT NULL,
  to_block uint256 NOT NULL,
  total uint256 NOT NULL,
  disputable_until uint256 NOT NULL,
  status text COLLATE "C" NOT NULL DEFAULT 'proposed'
    CHECK (status IN ('proposed', 'final', 'rejected')),
  challenger address,
  dispute_reason text,
  position bigint NOT NULL,
  timestamp bigint NOT NULL,
  updated_position bigint NOT NULL
);
CREATE INDEX reward_epochs_status ON reward_epochs (status, epoch);
SELECT keep_history('reward_epochs', 'epoch');

CREATE TABLE claims (
  position bigint PRIMARY KEY,
  account address NOT NULL,
  recipient address NOT NULL,
  token address NOT NULL,
  amount uint256 NOT NULL,
  cumulative uint256 NOT NULL,
  timestamp bigint NOT NULL
);
CREATE INDEX claims_account ON claims (account, position);

CREATE TABLE recipients (
  account address PRIMARY KEY,
  recipient address NOT NULL,
  position bigint NOT NULL
);
SELECT keep_history('recipients', 'account');
