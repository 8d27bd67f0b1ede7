CREATE TABLE splits (
  version bigint PRIMARY KEY,
  owner bigint NOT NULL,
  runner bigint NOT NULL,
  contributors bigint NOT NULL,
  stakers bigint NOT NULL,
  platform bigint NOT NULL,
  position bigint NOT NULL,
  timestamp bigint NOT NULL
);

CREATE TABLE jobs (
  job_id uint256 PRIMARY KEY,
  requester address NOT NULL,
  model_id uint256 NOT NULL,
  datanet_id uint256 NOT NULL,
  datanet_version bigint NOT NULL,
  fee uint256 NOT NULL,
  deadline uint256 NOT NULL,
  params text NOT NULL,
  status text COLLATE "C" NOT NULL DEFAULT 'requested'
    CHECK (status IN ('requested', 'claimed', 'committed', 'refunded')),
  attempt bigint NOT NULL DEFAULT 0,
  runner address,
  lease_until uint256,
  result_model_id uint256,
  result_hash hash32,
  failure_reason text,
  settled uint256,
  refunded uint256,
  position bigint NOT NULL,
  timestamp bigint NOT NULL,
  updated_position bigint NOT NULL,
  updated_at bigint NOT NULL
);
CREATE INDEX jobs_status ON jobs (status, job_id);
CREATE INDEX jobs_requester ON jobs (requester, job_id);
CREATE INDEX jobs_runner ON jobs (runner, job_id);
CREATE INDEX jobs_model ON jobs (model_id, job_id);
SELECT keep_history('jobs', 'job_id');

CREATE TABLE job_updates (
  position bigint PRIMARY KEY,
  job_id uint256 NOT NULL,
  change text COLLATE "C" NOT NULL,
  attempt bigint,
  runner address,
  lease_until uint256,
  reason text,
  timestamp bigint NOT NULL
);
CREATE INDEX job_updates_job ON job_updates (job_id, position);

CREATE TABLE channels (
  channel_id uint256 PRIMARY KEY,
  payer address NOT NULL,
  runner address NOT NULL,
  deposit uint256 NOT NULL,
  settled uint256 NOT NULL DEFAULT 0,
  refunded uint256 NOT NULL DEFAULT 0,
  closable_at uint256,
  closed boolean NOT NULL DEFAULT false,
  position bigint NOT NULL,
  timestamp bigint NOT NULL,
  updated_position bigint NOT NULL
);
CREATE INDEX channels_payer ON channels (payer, channel_id);
CREATE INDEX channels_runner ON channels (runner, channel_id);
SELECT keep_history('channels', 'channel_id');

CREATE TABLE settlements (
  position bigint PRIMARY KEY,
  kind text COLLATE "C" NOT NULL CHECK (kind IN ('job', 'channel')),
  source_id uint256 NOT NULL,
  runner address NOT NULL,
  payer address,
  model_id uint256,
  amount uint256 NOT NULL,
  cumulative uint256,
  batch_index uint256 NOT NULL,
  split_version bigint NOT NULL,
  timestamp bigint NOT NULL
);
CREATE INDEX settlements_source ON settlements (kind, source_id, position);
CREATE INDEX settlements_runner ON settlements (runner, position);
CREATE INDEX settlements_batch ON settlements (batch_index);
