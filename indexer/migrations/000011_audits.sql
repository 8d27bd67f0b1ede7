-- Where a runner says that it is reached; null when it took that back.
ALTER TABLE runners ADD COLUMN endpoint text;

-- Outputs that were drawn to be computed again (docs/spec/audits.md).
CREATE TABLE audits (
  output_id hash32 PRIMARY KEY,
  runner address NOT NULL,
  auditor address NOT NULL,
  model_id uint256 NOT NULL,
  batch_index uint256 NOT NULL,
  source_kind bigint NOT NULL,
  seed hash32 NOT NULL,
  status text COLLATE "C" NOT NULL DEFAULT 'open'
    CHECK (status IN ('open', 'contested', 'matched', 'faulted', 'dismissed', 'undecided')),
  finding text COLLATE "C" CHECK (finding IN ('matches', 'differs', 'unavailable')),
  detail text,
  deadline uint256 NOT NULL,
  position bigint NOT NULL,
  timestamp bigint NOT NULL,
  updated_position bigint NOT NULL
);
CREATE INDEX audits_position ON audits (position);
CREATE INDEX audits_status ON audits (status, position);
CREATE INDEX audits_runner ON audits (runner, position);
CREATE INDEX audits_auditor ON audits (auditor, position);
CREATE INDEX audits_model ON audits (model_id, position);
SELECT keep_history('audits', 'output_id');

-- The jurors of contested audits, with what they voted. `position` is that of the vote, before it that of the contest.
CREATE TABLE audit_votes (
  output_id hash32 NOT NULL,
  juror address NOT NULL,
  finding text COLLATE "C" CHECK (finding IN ('matches', 'differs', 'unavailable')),
  detail text,
  position bigint NOT NULL,
  PRIMARY KEY (output_id, juror)
);
CREATE INDEX audit_votes_juror ON audit_votes (juror, output_id);
SELECT keep_history('audit_votes', 'output_id', 'juror');
