-- One call each, paid into escrow for a runner that its payer named.
CREATE TABLE inference_jobs (
  job_id uint256 PRIMARY KEY,
  payer address NOT NULL,
  runner address NOT NULL,
  model_id uint256 NOT NULL,
  escrow uint256 NOT NULL,
  request_hash hash32 NOT NULL,
  max_tokens bigint NOT NULL,
  deadline uint256 NOT NULL,
  status text COLLATE "C" NOT NULL DEFAULT 'requested' CHECK (status IN ('requested', 'settled', 'refunded')),
  settled uint256 NOT NULL DEFAULT 0,
  refunded uint256 NOT NULL DEFAULT 0,
  position bigint NOT NULL,
  timestamp bigint NOT NULL,
  updated_position bigint NOT NULL
);
CREATE INDEX inference_jobs_payer ON inference_jobs (payer, job_id);
CREATE INDEX inference_jobs_runner ON inference_jobs (runner, job_id);
CREATE INDEX inference_jobs_status ON inference_jobs (status, job_id);
SELECT keep_history('inference_jobs', 'job_id');

ALTER TABLE settlements DROP CONSTRAINT settlements_kind_check;
ALTER TABLE settlements ADD CONSTRAINT settlements_kind_check CHECK (kind IN ('job', 'channel', 'inference'));
