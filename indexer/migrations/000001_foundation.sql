-- Value domains. Text compares byte by byte, so that every server orders and hashes rows alike. Only lengths are checked:
-- values come from typed events, and a pattern over each hash took a third of the time of writing outputs.
CREATE DOMAIN uint256 AS numeric(78, 0) CHECK (VALUE >= 0);
CREATE DOMAIN address AS text COLLATE "C" CHECK (octet_length(VALUE) = 42);
CREATE DOMAIN hash32 AS text COLLATE "C" CHECK (octet_length(VALUE) = 66);

-- Up to where the views show the log. `seq` is the position of the next entry to read.
CREATE TABLE checkpoint (
  id boolean PRIMARY KEY DEFAULT true CHECK (id),
  projection_version integer NOT NULL,
  seq bigint NOT NULL,
  block_number bigint,
  block_hash hash32,
  log_hash hash32,
  indexed_at timestamptz NOT NULL DEFAULT now()
);

-- What the indexer last saw and said: lets a server in another process tell lag from silence.
CREATE TABLE indexer_status (
  id boolean PRIMARY KEY DEFAULT true CHECK (id),
  feed_seq bigint,
  feed_block bigint,
  last_error text,
  observed_at timestamptz NOT NULL DEFAULT now()
);

-- Checkpoints that the views can be taken back to: the state before each batch.
CREATE TABLE savepoints (
  seq bigint PRIMARY KEY,
  block_number bigint,
  block_hash hash32,
  log_hash hash32
);

-- Old rows of the tables that change in place; `old` is null for a row that did not exist.
CREATE TABLE journal (
  id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  savepoint bigint NOT NULL,
  relation text NOT NULL,
  key jsonb NOT NULL,
  old jsonb
);
CREATE INDEX journal_savepoint ON journal (savepoint, relation);

-- One row for each unwinding, for readers that follow the views: what came after `to_block` no longer counts.
CREATE TABLE reverts (
  seq bigint PRIMARY KEY,
  to_block bigint NOT NULL
);

-- Arguments: the key's columns. Off unless the transaction has set openledger.savepoint.
CREATE FUNCTION journal_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  savepoint text := nullif(current_setting('openledger.savepoint', true), '');
  key text;
BEGIN
  IF savepoint IS NULL THEN
    RETURN NULL;
  END IF;
  SELECT 'jsonb_build_object(' || string_agg(format('%L, r.%I', argument, argument), ', ') || ')'
    INTO key FROM unnest(TG_ARGV) AS argument;
  IF TG_OP = 'INSERT' THEN
    EXECUTE format('INSERT INTO journal (savepoint, relation, key) SELECT $1, $2, %s FROM new_rows r', key)
      USING savepoint::bigint, TG_TABLE_NAME;
  ELSE
    EXECUTE format('INSERT INTO journal (savepoint, relation, key, old) SELECT $1, $2, %s, to_jsonb(r) FROM old_rows r', key)
      USING savepoint::bigint, TG_TABLE_NAME;
  END IF;
  RETURN NULL;
END
$$;

-- Makes a table's changes undoable.
CREATE FUNCTION keep_history(relation regclass, VARIADIC key text[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  arguments text := (SELECT string_agg(quote_literal(k), ', ') FROM unnest(key) AS k);
BEGIN
  EXECUTE format('CREATE TRIGGER journal_insert AFTER INSERT ON %s REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION journal_change(%s)', relation, arguments);
  EXECUTE format('CREATE TRIGGER journal_update AFTER UPDATE ON %s REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION journal_change(%s)', relation, arguments);
END
$$;
