CREATE TABLE models (
  model_id uint256 PRIMARY KEY,
  kind text COLLATE "C" NOT NULL CHECK (kind IN ('base', 'adapter')),
  owner address NOT NULL,
  parent_id uint256,
  job_id uint256,
  datanet_id uint256,
  datanet_version bigint,
  weights_hash hash32 NOT NULL,
  config_hash hash32,
  name text NOT NULL,
  architecture text,
  uri text,
  deployed boolean NOT NULL DEFAULT false,
  input_price uint256,
  output_price uint256,
  output_count bigint NOT NULL DEFAULT 0,
  position bigint NOT NULL,
  timestamp bigint NOT NULL
);
CREATE INDEX models_kind ON models (kind, model_id);
CREATE INDEX models_owner ON models (owner, model_id);
CREATE INDEX models_parent ON models (parent_id, model_id);
CREATE INDEX models_datanet ON models (datanet_id, datanet_version);
CREATE INDEX models_weights ON models (weights_hash);
SELECT keep_history('models', 'model_id');

CREATE TABLE evaluations (
  position bigint PRIMARY KEY,
  model_id uint256 NOT NULL,
  suite hash32 NOT NULL,
  suite_name text NOT NULL,
  evaluator address NOT NULL,
  base_loss_micros uint256 NOT NULL,
  model_loss_micros uint256 NOT NULL,
  tokens bigint NOT NULL,
  regressed boolean NOT NULL,
  report_hash hash32 NOT NULL,
  timestamp bigint NOT NULL
);
CREATE INDEX evaluations_suite ON evaluations (suite, position);
CREATE INDEX evaluations_model ON evaluations (model_id, suite, position);
