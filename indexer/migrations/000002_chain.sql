-- A position orders everything on the chain: block number times 2^22 plus the index of the event (or transaction) in its block.
CREATE TABLE blocks (
  number bigint PRIMARY KEY,
  hash hash32 NOT NULL,
  parent_hash hash32 NOT NULL,
  timestamp bigint NOT NULL,
  gas_used bigint NOT NULL,
  gas_limit bigint NOT NULL,
  base_fee uint256 NOT NULL,
  l1_origin_number bigint NOT NULL,
  l1_origin_hash hash32 NOT NULL,
  log_hash hash32 NOT NULL,
  transaction_count integer NOT NULL,
  event_count integer NOT NULL
);
CREATE INDEX blocks_hash ON blocks (hash);

CREATE TABLE transactions (
  position bigint PRIMARY KEY,
  hash hash32 NOT NULL,
  type integer NOT NULL,
  sender address NOT NULL,
  recipient address,
  contract_address address,
  value uint256 NOT NULL,
  nonce uint256 NOT NULL,
  gas_used bigint NOT NULL,
  fee uint256 NOT NULL,
  success boolean NOT NULL,
  selector text NOT NULL
);
CREATE INDEX transactions_hash ON transactions (hash);
CREATE INDEX transactions_sender ON transactions (sender, position);
CREATE INDEX transactions_recipient ON transactions (recipient, position);

CREATE TABLE events (
  position bigint PRIMARY KEY,
  type text COLLATE "C" NOT NULL,
  tx_index integer NOT NULL,
  log_index integer NOT NULL,
  sub_index integer NOT NULL,
  args jsonb NOT NULL
);
CREATE INDEX events_type ON events (type, position);
