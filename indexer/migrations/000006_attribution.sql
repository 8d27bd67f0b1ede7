CREATE TABLE batches (
  batch_index uint256 PRIMARY KEY,
  runner address NOT NULL,
  page_count bigint NOT NULL,
  pages_root hash32 NOT NULL,
  settlements_hash hash32 NOT NULL,
  head hash32 NOT NULL,
  output_count bigint NOT NULL DEFAULT 0,
  attribution_count bigint NOT NULL DEFAULT 0,
  position bigint NOT NULL,
  timestamp bigint NOT NULL
);
CREATE INDEX batches_runner ON batches (runner, batch_index);
SELECT keep_history('batches', 'batch_index');

-- Pages that did not decode; their batch's other pages stand.
CREATE TABLE rejected_pages (
  position bigint PRIMARY KEY,
  batch_index uint256 NOT NULL,
  page bigint NOT NULL,
  reason text NOT NULL
);
CREATE INDEX rejected_pages_batch ON rejected_pages (batch_index, position);

-- Output ids hold a nonce that the runner chooses, so the key is the position. An output's attributions stay together in
-- it as two arrays of the same length: at thousands of attributions a second a row for each would cost more than all else.
CREATE TABLE outputs (
  position bigint PRIMARY KEY,
  output_id hash32 NOT NULL,
  batch_index uint256 NOT NULL,
  model_id uint256 NOT NULL,
  source_kind bigint NOT NULL,
  source_id uint256 NOT NULL,
  nonce bigint NOT NULL,
  prompt_hash hash32 NOT NULL,
  output_hash hash32 NOT NULL,
  prompt_tokens bigint NOT NULL,
  output_tokens bigint NOT NULL,
  fee_weight uint256 NOT NULL,
  method bigint NOT NULL,
  timestamp bigint NOT NULL,
  contribution_ids bigint[] NOT NULL,
  weights bigint[] NOT NULL
);
CREATE INDEX outputs_output ON outputs (output_id, position);
CREATE INDEX outputs_batch ON outputs (batch_index, position);
CREATE INDEX outputs_model ON outputs (model_id, position);
CREATE INDEX outputs_source ON outputs (source_kind, source_id, position);

-- In which blocks a contribution occurs, with its sums over all outputs until then, by method (their weights have different
-- units). Sums are looked up and added while rows are inserted, so that nothing has to be changed in place. `position` is
-- that of the block's start. The contributor is null when a page names a contribution that doesn't exist: pages are not
-- checked on chain.
CREATE TABLE contribution_blocks (
  contribution_id uint256 NOT NULL,
  position bigint NOT NULL,
  method bigint NOT NULL,
  contributor address,
  outputs bigint NOT NULL,
  weight numeric NOT NULL,
  PRIMARY KEY (contribution_id, position, method)
);
CREATE INDEX contribution_blocks_contributor ON contribution_blocks (contributor, position);
CREATE INDEX contribution_blocks_position ON contribution_blocks (position);

-- One row for each attribution, found through the output or through the contribution's blocks.
CREATE VIEW attributions AS
SELECT o.position + r.ordinal AS position, o.position AS output_position, b.position AS block_position, b.contribution_id,
  b.contributor, r.weight::uint256 AS weight, o.method
FROM outputs o
  CROSS JOIN LATERAL unnest(o.contribution_ids, o.weights) WITH ORDINALITY AS r (contribution_id, weight, ordinal)
  JOIN contribution_blocks b ON b.contribution_id = r.contribution_id::numeric AND b.method = o.method
    AND o.position >= b.position AND o.position < b.position + 4194304;
