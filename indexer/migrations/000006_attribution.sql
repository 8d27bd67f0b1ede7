CREATE TABLE batches (
  batch_index uint256 PRIMARY KEY,
  runner address NOT NULL,
  version bigint NOT NULL,
  count bigint NOT NULL,
  batch_hash hash32 NOT NULL,
  head hash32 NOT NULL,
  rejected_reason text,
  position bigint NOT NULL,
  timestamp bigint NOT NULL
);
CREATE INDEX batches_runner ON batches (runner, batch_index);
SELECT keep_history('batches', 'batch_index');

-- The runner chooses output ids; they are unique in a batch only, so the key is the position.
CREATE TABLE outputs (
  position bigint PRIMARY KEY,
  output_id hash32 NOT NULL,
  batch_index uint256 NOT NULL,
  model_id uint256 NOT NULL,
  source_kind bigint NOT NULL,
  source_id uint256 NOT NULL,
  prompt_hash hash32 NOT NULL,
  output_hash hash32 NOT NULL,
  prompt_tokens bigint NOT NULL,
  output_tokens bigint NOT NULL,
  fee_weight uint256 NOT NULL,
  method bigint NOT NULL,
  timestamp bigint NOT NULL
);
CREATE INDEX outputs_output ON outputs (output_id, position);
CREATE INDEX outputs_batch ON outputs (batch_index, position);
CREATE INDEX outputs_model ON outputs (model_id, position);
CREATE INDEX outputs_source ON outputs (source_kind, source_id, position);

-- The contributor is null when the row names a contribution that doesn't exist: batches are not checked on chain.
CREATE TABLE attributions (
  position bigint PRIMARY KEY,
  output_position bigint NOT NULL,
  contribution_id uint256 NOT NULL,
  contributor address,
  weight uint256 NOT NULL,
  method bigint NOT NULL
);
CREATE INDEX attributions_output ON attributions (output_position, position);
CREATE INDEX attributions_contribution ON attributions (contribution_id, position);
CREATE INDEX attributions_contributor ON attributions (contributor, position);

-- Weights of different methods have different units: they are summed apart. A weight is an unchecked uint256, so the sum
-- of many needs more digits than one.
CREATE TABLE contribution_weights (
  contribution_id uint256 NOT NULL,
  method bigint NOT NULL,
  outputs bigint NOT NULL DEFAULT 0,
  weight numeric NOT NULL DEFAULT 0,
  PRIMARY KEY (contribution_id, method)
);
SELECT keep_history('contribution_weights', 'contribution_id', 'method');
