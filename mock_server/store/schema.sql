-- Everything belongs to a world; deleting a world deletes its rows in every table.
CREATE TABLE world (
  id TEXT PRIMARY KEY, seed INTEGER NOT NULL, doc BLOB NOT NULL
) WITHOUT ROWID;

CREATE TABLE counter (
  world TEXT NOT NULL, name TEXT NOT NULL, value INTEGER NOT NULL, PRIMARY KEY (world, name)
) WITHOUT ROWID;

CREATE TABLE account (
  world TEXT NOT NULL, id TEXT NOT NULL, provider TEXT NOT NULL, tier TEXT NOT NULL,
  granted INTEGER NOT NULL DEFAULT 0, available INTEGER NOT NULL DEFAULT 0,
  held INTEGER NOT NULL DEFAULT 0, spent INTEGER NOT NULL DEFAULT 0,
  created_ms INTEGER NOT NULL,
  PRIMARY KEY (world, id),
  CHECK (available >= 0 AND held >= 0 AND spent >= 0),
  CHECK (granted = available + held + spent)
) WITHOUT ROWID;

CREATE TABLE api_key (
  digest TEXT PRIMARY KEY, world TEXT NOT NULL, account TEXT NOT NULL, provider TEXT NOT NULL,
  id TEXT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL, prefix TEXT NOT NULL,
  active INTEGER NOT NULL, created_ms INTEGER NOT NULL, last_used_ms INTEGER, seq INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX api_key_of_account ON api_key (world, account, seq);

CREATE TABLE entry (
  world TEXT NOT NULL, seq INTEGER NOT NULL, account TEXT NOT NULL, at_ms INTEGER NOT NULL,
  kind TEXT NOT NULL, amount INTEGER NOT NULL CHECK (amount > 0), job TEXT, request INTEGER,
  PRIMARY KEY (world, seq)
) WITHOUT ROWID;
CREATE INDEX entry_of_account ON entry (world, account, seq);
CREATE INDEX entry_of_job ON entry (world, account, job, seq);
-- One hold settles once.
CREATE UNIQUE INDEX entry_settles_once ON entry (world, account, job)
  WHERE job IS NOT NULL AND kind IN ('capture', 'release', 'refund');
CREATE TRIGGER entry_is_never_changed BEFORE UPDATE ON entry
BEGIN SELECT RAISE(ABORT, 'a ledger entry is never changed'); END;

CREATE TABLE resource (
  world TEXT NOT NULL, provider TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL,
  account TEXT NOT NULL, parent TEXT, seq INTEGER NOT NULL, created_ms INTEGER NOT NULL,
  ends_ms INTEGER, slot INTEGER NOT NULL, doc BLOB NOT NULL, script BLOB,
  PRIMARY KEY (world, provider, kind, id)
);
CREATE INDEX resource_newest ON resource (world, provider, kind, account, seq);
CREATE INDEX resource_children ON resource (world, provider, kind, parent, seq)
  WHERE parent IS NOT NULL;
CREATE INDEX resource_running ON resource (world, account, ends_ms) WHERE slot = 1;
CREATE INDEX resource_jobs ON resource (world, seq) WHERE script IS NOT NULL;

CREATE TABLE effect (
  world TEXT NOT NULL, due_ms INTEGER NOT NULL, seq INTEGER NOT NULL, kind TEXT NOT NULL,
  subject TEXT NOT NULL, step INTEGER NOT NULL, label TEXT NOT NULL,
  PRIMARY KEY (world, due_ms, seq)
) WITHOUT ROWID;
CREATE INDEX effect_of_subject ON effect (world, subject);

CREATE TABLE event (
  world TEXT NOT NULL, seq INTEGER NOT NULL, at_ms INTEGER NOT NULL, type TEXT NOT NULL,
  subject TEXT NOT NULL, doc BLOB NOT NULL, PRIMARY KEY (world, seq)
) WITHOUT ROWID;

CREATE TABLE journal (
  world TEXT NOT NULL, seq INTEGER NOT NULL, at_ms INTEGER NOT NULL, provider TEXT NOT NULL,
  operation TEXT NOT NULL, status INTEGER NOT NULL, doc BLOB NOT NULL, PRIMARY KEY (world, seq)
) WITHOUT ROWID;

CREATE TABLE replay (
  world TEXT NOT NULL, account TEXT NOT NULL, operation TEXT NOT NULL, key TEXT NOT NULL,
  fingerprint TEXT NOT NULL, expires_ms INTEGER NOT NULL, status INTEGER NOT NULL,
  headers BLOB NOT NULL, body BLOB NOT NULL,
  PRIMARY KEY (world, account, operation, key)
) WITHOUT ROWID;

CREATE TABLE hit (
  world TEXT NOT NULL, bucket TEXT NOT NULL, at_ms INTEGER NOT NULL, seq INTEGER NOT NULL,
  PRIMARY KEY (world, bucket, at_ms, seq)
) WITHOUT ROWID;

-- Faults, webhook endpoints, deliveries and attempts: small documents that a module owns whole.
CREATE TABLE document (
  world TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL, seq INTEGER NOT NULL,
  doc BLOB NOT NULL, PRIMARY KEY (world, kind, id)
) WITHOUT ROWID;
CREATE INDEX document_in_order ON document (world, kind, seq);

CREATE TABLE snapshot (
  world TEXT NOT NULL, name TEXT NOT NULL, created_ms INTEGER NOT NULL, doc BLOB NOT NULL,
  PRIMARY KEY (world, name)
);
