CREATE TABLE datanets (
  datanet_id uint256 PRIMARY KEY,
  owner address NOT NULL,
  modality text COLLATE "C" NOT NULL CHECK (modality IN ('text', 'image', 'audio')),
  name text NOT NULL,
  description text NOT NULL,
  submitted bigint NOT NULL DEFAULT 0,
  accepted bigint NOT NULL DEFAULT 0,
  rejected bigint NOT NULL DEFAULT 0,
  version_count bigint NOT NULL DEFAULT 0,
  position bigint NOT NULL,
  timestamp bigint NOT NULL
);
CREATE INDEX datanets_owner ON datanets (owner, datanet_id);
CREATE INDEX datanets_modality ON datanets (modality, datanet_id);
SELECT keep_history('datanets', 'datanet_id');

CREATE TABLE datanet_versions (
  datanet_id uint256 NOT NULL,
  version bigint NOT NULL,
  data_root hash32 NOT NULL,
  contribution_count bigint NOT NULL,
  position bigint NOT NULL,
  timestamp bigint NOT NULL,
  PRIMARY KEY (datanet_id, version)
);

CREATE TABLE reviewers (
  datanet_id uint256 NOT NULL,
  reviewer address NOT NULL,
  allowed boolean NOT NULL,
  position bigint NOT NULL,
  PRIMARY KEY (datanet_id, reviewer)
);
SELECT keep_history('reviewers', 'datanet_id', 'reviewer');

CREATE TABLE contributions (
  contribution_id uint256 PRIMARY KEY,
  datanet_id uint256 NOT NULL,
  contributor address NOT NULL,
  content_hash hash32 NOT NULL,
  format text COLLATE "C" NOT NULL,
  size bigint NOT NULL,
  file_name text NOT NULL,
  status text COLLATE "C" NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'accepted', 'rejected')),
  score bigint,
  reason text,
  reviewer address,
  leaf_index bigint,
  leaf hash32,
  decided_position bigint,
  decided_at bigint,
  position bigint NOT NULL,
  timestamp bigint NOT NULL
);
CREATE INDEX contributions_datanet ON contributions (datanet_id, contribution_id);
CREATE INDEX contributions_leaf ON contributions (datanet_id, leaf_index);
CREATE INDEX contributions_contributor ON contributions (contributor, contribution_id);
CREATE INDEX contributions_status ON contributions (status, contribution_id);
CREATE INDEX contributions_content ON contributions (content_hash);
SELECT keep_history('contributions', 'contribution_id');

-- Rank: score_sum, then active days, then who came first. All three look at accepted files only; came_first falls back
-- to the first submission for those who have none accepted yet, who all stand behind the others with score_sum 0.
CREATE TABLE contributors (
  contributor address PRIMARY KEY,
  submitted bigint NOT NULL,
  accepted bigint NOT NULL,
  rejected bigint NOT NULL,
  decided bigint NOT NULL,
  score_sum bigint NOT NULL,
  active_days bigint NOT NULL,
  first_accepted bigint,
  came_first bigint NOT NULL
);
CREATE INDEX contributors_rank ON contributors (score_sum DESC, active_days DESC, came_first, contributor);
CREATE INDEX contributors_submitted ON contributors (submitted DESC, contributor);
SELECT keep_history('contributors', 'contributor');
