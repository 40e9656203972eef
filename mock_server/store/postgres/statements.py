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
READ_LOCKED = f"""
WITH taken AS MATERIALIZED
  (SELECT version, trimmed, writer FROM screentest.world WHERE id = %(world)s FOR UPDATE)
SELECT version, trimmed, writer, {_NOW_MS} FROM taken
"""
#: Sent as one message, which takes half the time of two.
TAKE = f"BEGIN; {READ_LOCKED}"
TAKE_NEW = f"""
BEGIN; INSERT INTO screentest.world (id, version) VALUES (%(world)s, 0) ON CONFLICT DO NOTHING;
{READ_LOCKED}
"""
NEW_WRITER = "SELECT nextval('screentest.writer')"
NOW = f"SELECT {_NOW_MS}"

CLEARED_SINCE = """
SELECT max(version) FROM screentest.change WHERE world = %s AND version > %s AND is_cleared
"""
CHANGED_SINCE = """
WITH changed AS (
  SELECT DISTINCT place.kind, place.key
  FROM screentest.change, unnest(kinds, keys) AS place (kind, key)
  WHERE world = %(world)s AND version > %(version)s
)
SELECT changed.kind, changed.key, kept.doc FROM changed LEFT JOIN screentest.kept
  ON kept.world = %(world)s AND kept.kind = changed.kind AND kept.key = changed.key
"""

#: A change set in one statement. What no answer depends on need not wait for the disk.
COMMIT = """
WITH promise AS (SELECT set_config('synchronous_commit', %(promise)s, true)),
put AS (
  INSERT INTO screentest.kept
  SELECT %(world)s, kind, key, doc
  FROM unnest(%(kinds)s::text[], %(keys)s::text[], %(docs)s::bytea[]) AS new (kind, key, doc)
  ON CONFLICT (world, kind, key) DO UPDATE SET doc = excluded.doc
),
gone AS (
  DELETE FROM screentest.kept
  USING unnest(%(gone_kinds)s::text[], %(gone_keys)s::text[]) AS gone (kind, key)
  WHERE kept.world = %(world)s AND kept.kind = gone.kind AND kept.key = gone.key
),
logged AS (
  INSERT INTO screentest.change VALUES (%(world)s, %(version)s, %(is_cleared)s,
    %(kinds)s::text[] || %(gone_kinds)s::text[], %(keys)s::text[] || %(gone_keys)s::text[])
)
UPDATE screentest.world SET version = %(version)s, writer = %(writer)s, due_ms = %(due_ms)s
FROM promise WHERE id = %(world)s
"""
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
