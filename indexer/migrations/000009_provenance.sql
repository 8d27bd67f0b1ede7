CREATE TABLE deployments (
  position bigint PRIMARY KEY,
  deployed address NOT NULL,
  deployer address NOT NULL,
  model_id uint256 NOT NULL,
  output_id hash32 NOT NULL,
  prompt_hash hash32 NOT NULL,
  source_hash hash32 NOT NULL,
  compiler_hash hash32 NOT NULL,
  code_hash hash32 NOT NULL,
  timestamp bigint NOT NULL
);
CREATE INDEX deployments_deployed ON deployments (deployed, position);
CREATE INDEX deployments_deployer ON deployments (deployer, position);
CREATE INDEX deployments_model ON deployments (model_id, position);
CREATE INDEX deployments_output ON deployments (output_id, position);
