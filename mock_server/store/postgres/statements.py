"""What the PostgreSQL keeper says to the database.

One table has the rows of all worlds, so that a change set is one statement; nothing reads it but by
world. The change log names the rows that changed and has no copy of them: a process that catches up
holds the world, so it reads each row as the last commit left it.
"""

from __future__ import annotations

SCHEMA_VERSION = 1
CHANNEL = "screentest"
#: Change sets of a world that the log keeps. A process that is further behind loads the world anew.
LOG_MAX = 1_024
TRIMMED_EVERY = 256
#: A world with something due is left for so long to the process that was given it.
LOOK_MS = 5_000

_NOW_MS = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint"

#: Processes that start at the same time create the tables one after the other.
LOCK_SCHEMA = "SELECT pg_advisory_xact_lock(hashtext('screentest schema'))"
FIND_SCHEMA = "SELECT to_regclass('screentest.about') IS NOT NULL"
READ_SCHEMA = "SELECT version FROM screentest.about"
CREATE = f"""
CREATE SCHEMA IF NOT EXISTS screentest;
CREATE SEQUENCE screentest.writer;
CREATE TABLE screentest.about (version int NOT NULL);
INSERT INTO screentest.about VALUES ({SCHEMA_VERSION});
CREATE TABLE screentest.world (
  id text COLLATE "C" PRIMARY KEY,
  version bigint NOT NULL,
  trimmed bigint NOT NULL DEFAULT 0,
  writer text,
  due_ms bigint
) WITH (fillfactor = 50);
CREATE INDEX world_due ON screentest.world (due_ms) WHERE due_ms IS NOT NULL;
CREATE TABLE screentest.kept (
  world text COLLATE "C" NOT NULL,
  kind text COLLATE "C" NOT NULL,
  key text COLLATE "C" NOT NULL,
  doc bytea NOT NULL,
  PRIMARY KEY (world, kind, key)
);
CREATE TABLE screentest.change (
  world text COLLATE "C" NOT NULL,
  version bigint NOT NULL,
  is_cleared boolean NOT NULL,
  kinds text[] NOT NULL,
  keys text[] NOT NULL,
  PRIMARY KEY (world, version)
);
CREATE TABLE screentest.holder (
  digest text COLLATE "C" PRIMARY KEY,
  world text COLLATE "C" NOT NULL
);
CREATE INDEX holder_world ON screentest.holder (world);
"""

#: The clock is read once the row is locked: no process reads an earlier time after a later one.
_READ_LOCKED = f"""
WITH taken AS MATERIALIZED
  (SELECT version, trimmed, writer FROM screentest.world WHERE id = $1 FOR UPDATE)
SELECT version, trimmed, writer, {_NOW_MS} FROM taken
"""
READ_LOCKED = "EXECUTE screentest_read_locked (%(world)s)"
#: Sent as one message, which takes half the time of two.
TAKE = f"BEGIN; {READ_LOCKED}"
TAKE_NEW = f"""
BEGIN; INSERT INTO screentest.world (id, version) VALUES (%(world)s, 0) ON CONFLICT DO NOTHING;
{READ_LOCKED}
"""
NEW_WRITER = "SELECT nextval('screentest.writer')"
NOW = f"SELECT {_NOW_MS}"

#: Rows are found by subqueries and not by joins here: a join that was planned while the table was
#: empty goes on to read all rows of a world.
_CLEARED_SINCE = """
SELECT max(version) FROM screentest.change WHERE world = $1 AND version > $2 AND is_cleared
"""
_CHANGED_SINCE = """
WITH changed AS (
  SELECT DISTINCT place.kind, place.key
  FROM screentest.change, unnest(kinds, keys) AS place (kind, key)
  WHERE world = $1 AND version > $2
)
SELECT kind, key, (
  SELECT doc FROM screentest.kept
  WHERE kept.world = $1 AND kept.kind = changed.kind AND kept.key = changed.key
) FROM changed
"""
CHANGES = """
EXECUTE screentest_cleared_since (%(world)s, %(version)s);
EXECUTE screentest_changed_since (%(world)s, %(version)s)
"""

#: A change set in one statement. What no answer depends on need not wait for the disk, and is not
#: announced to other processes.
_KEEP = f"""
WITH promise AS (
  SELECT set_config('synchronous_commit', $11, true),
    CASE $11 WHEN 'on' THEN pg_notify('{CHANNEL}', $12 || ' ' || $1)::text END
),
put AS (
  INSERT INTO screentest.kept
  SELECT $1, kind, key, doc FROM unnest($4, $5, $6) AS new (kind, key, doc)
  ON CONFLICT (world, kind, key) DO UPDATE SET doc = excluded.doc
),
gone AS (
  DELETE FROM screentest.kept WHERE ctid = ANY (ARRAY(
    SELECT (SELECT ctid FROM screentest.kept WHERE (world, kind, key) = ($1, gone.kind, gone.key))
    FROM unnest($7, $8) AS gone (kind, key)
  ))
),
logged AS (INSERT INTO screentest.change VALUES ($1, $2, $3, $4 || $7, $5 || $8))
UPDATE screentest.world SET version = $2, writer = $9, due_ms = $10 FROM promise WHERE id = $1
"""
KEEP = """
EXECUTE screentest_keep (%(world)s, %(version)s, %(is_cleared)s, %(kinds)s, %(keys)s, %(docs)s,
  %(gone_kinds)s, %(gone_keys)s, %(commit)s, %(due_ms)s, %(promise)s, %(writer)s);
COMMIT
"""
#: What a connection prepares when it is opened. The driver prepares only statements that are sent
#: one by one.
PREPARE = (
    f"PREPARE screentest_read_locked (text) AS {_READ_LOCKED}",
    f"PREPARE screentest_cleared_since (text, bigint) AS {_CLEARED_SINCE}",
    f"PREPARE screentest_changed_since (text, bigint) AS {_CHANGED_SINCE}",
    "PREPARE screentest_keep (text, bigint, boolean, text[], text[], bytea[], text[], text[],"
    f" text, bigint, text, text) AS {_KEEP}",
)
CLEAR = "DELETE FROM screentest.kept WHERE world = %s AND kind NOT IN ('snapshot', 'world')"
CLEAR_HOLDERS = "DELETE FROM screentest.holder WHERE world = %s"
ADD_HOLDERS = """
INSERT INTO screentest.holder SELECT digest, %(world)s FROM unnest(%(digests)s::text[]) AS digest
ON CONFLICT (digest) DO UPDATE SET world = excluded.world WHERE holder.world = excluded.world
"""
OTHER_HOLDER = "SELECT world FROM screentest.holder WHERE digest = ANY(%s) AND world <> %s LIMIT 1"
REMOVE_HOLDERS = "DELETE FROM screentest.holder WHERE digest = ANY(%s) AND world = %s"
NOTIFY = f"SELECT pg_notify('{CHANNEL}', %s)"
TRIM = """
WITH gone AS (DELETE FROM screentest.change WHERE world = %(world)s AND version <= %(trimmed)s)
UPDATE screentest.world SET trimmed = %(trimmed)s WHERE id = %(world)s
"""

DELETE_WORLD = (
    "DELETE FROM screentest.kept WHERE world = %s",
    "DELETE FROM screentest.change WHERE world = %s",
    CLEAR_HOLDERS,
    "DELETE FROM screentest.world WHERE id = %s",
)

WORLDS = """
SELECT id, doc FROM screentest.world
LEFT JOIN screentest.kept ON kept.world = id AND kind = 'world' AND key = id ORDER BY id
"""
VERSION = "SELECT version FROM screentest.world WHERE id = %s"
ROWS = """
SELECT kind, key, doc FROM screentest.kept
WHERE world = %s AND (kind, key) > (%s, %s) ORDER BY kind, key LIMIT %s
"""
ACCOUNTS = "SELECT doc FROM screentest.kept WHERE kind = 'account'"
HOLDER = """
SELECT holder.world, doc FROM screentest.holder JOIN screentest.kept
  ON kept.world = holder.world AND kind = 'api_key' AND key = digest WHERE digest = %s
"""
#: Of several processes one is given a world that needs a look, and none waits for another.
OVERDUE = f"""
UPDATE screentest.world SET due_ms = {_NOW_MS} + {LOOK_MS} WHERE id IN (
  SELECT id FROM screentest.world WHERE due_ms <= {_NOW_MS} ORDER BY due_ms LIMIT 50
  FOR UPDATE SKIP LOCKED
) RETURNING id
"""
