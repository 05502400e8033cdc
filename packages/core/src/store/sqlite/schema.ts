/** Migrations of store.db, oldest first. One that was released is never changed: add another. */
export const STORE_MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;

  CREATE TABLE records (
    kind TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, version INTEGER NOT NULL, value TEXT NOT NULL,
    PRIMARY KEY (kind, id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX records_name ON records (kind, name);
  CREATE TABLE claims (kind TEXT NOT NULL, name TEXT NOT NULL, id TEXT NOT NULL, PRIMARY KEY (kind, name)) STRICT, WITHOUT ROWID;
  CREATE INDEX claims_id ON claims (kind, id);

  CREATE TABLE register (
    server TEXT NOT NULL, type TEXT NOT NULL, key TEXT NOT NULL, owner TEXT NOT NULL,
    shared INTEGER NOT NULL, hash TEXT,
    PRIMARY KEY (server, type, key, owner)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX register_owner ON register (owner, server);

  CREATE TABLE tasks (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, type TEXT NOT NULL, request TEXT NOT NULL,
    state TEXT NOT NULL, plan TEXT NOT NULL, actor TEXT NOT NULL, key TEXT, digest TEXT NOT NULL,
    createdAt TEXT NOT NULL, finishedAt TEXT, outcome TEXT NOT NULL,
    UNIQUE (actor, key)
  ) STRICT;
  CREATE INDEX tasks_state ON tasks (state, seq);

  -- Rows of a task lie together and one write touches one page: a durable commit is as small as can be.
  CREATE TABLE journal (
    task TEXT NOT NULL, number INTEGER NOT NULL, action INTEGER NOT NULL, phase TEXT NOT NULL, state TEXT NOT NULL,
    attempt TEXT NOT NULL, undo TEXT, output TEXT NOT NULL, at TEXT NOT NULL,
    PRIMARY KEY (task, number)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE commits (task TEXT PRIMARY KEY, at TEXT NOT NULL) STRICT, WITHOUT ROWID;

  CREATE TABLE secrets (id TEXT PRIMARY KEY, sealed TEXT NOT NULL) STRICT, WITHOUT ROWID;

  CREATE TABLE leases (
    scope TEXT NOT NULL, task TEXT NOT NULL, mode TEXT NOT NULL, token INTEGER NOT NULL, holder TEXT NOT NULL,
    heartbeat INTEGER NOT NULL,
    PRIMARY KEY (scope, task)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX leases_task ON leases (task, holder);
  `,
  `
  CREATE TABLE plans (
    id TEXT PRIMARY KEY, task TEXT NOT NULL, request TEXT NOT NULL, title TEXT NOT NULL, hash TEXT NOT NULL,
    sealed TEXT, expiresAt TEXT NOT NULL
  ) STRICT;
  CREATE INDEX plans_expiry ON plans (expiresAt);
  DELETE FROM secrets WHERE id >= 'plan/' AND id < 'plan0';
  `,
  `
  CREATE TABLE lease_places (
    task TEXT PRIMARY KEY, place INTEGER NOT NULL, holder TEXT NOT NULL, scopes TEXT NOT NULL, heartbeat INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
  `
  ALTER TABLE tasks ADD COLUMN timeoutMs INTEGER;
  `,
  `
  ALTER TABLE tasks ADD COLUMN ended INTEGER;
  CREATE INDEX tasks_ended ON tasks (ended) WHERE ended IS NOT NULL;
  CREATE TABLE bookmarks (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
  `,
  `
  CREATE TABLE task_plans (task TEXT PRIMARY KEY, plan TEXT NOT NULL) STRICT;
  INSERT INTO task_plans (task, plan) SELECT id, plan FROM tasks WHERE plan <> 'null';
  ALTER TABLE tasks DROP COLUMN plan;
  `,
  `
  CREATE TABLE returned_numbers (counter TEXT NOT NULL, value INTEGER NOT NULL, PRIMARY KEY (counter, value)) STRICT, WITHOUT ROWID;
  CREATE INDEX tasks_over ON tasks (finishedAt) WHERE state IN ('succeeded', 'undone');
  `,
  `
  -- The line of the submissions (LeaseStore): who waits says what for. What waited before is planned anew.
  ALTER TABLE tasks ADD COLUMN subject TEXT;
  ALTER TABLE tasks ADD COLUMN waits TEXT;
  UPDATE tasks SET subject = id, waits = '[]' WHERE state = 'queued';
  CREATE INDEX tasks_line ON tasks (subject, seq) WHERE waits IS NOT NULL;
  DROP TABLE lease_places;
  `,
  `
  CREATE INDEX records_platform ON records (kind, value ->> '$.platform', value ->> '$.status', value ->> '$.http');
  CREATE INDEX records_database ON records (kind, value ->> '$.database.server', value ->> '$.status', value ->> '$.platform');
  CREATE INDEX records_cache ON records (kind, value ->> '$.bindings.cache.server', value ->> '$.status');
  `,
  `
  CREATE TABLE openers (holder TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
  `,
  `
  ALTER TABLE leases ADD COLUMN lifeMs INTEGER NOT NULL DEFAULT 60000;
  `,
  `
  -- A site's services are all in its \`bindings\`, by kind. (model/former-site.ts is the same for plans.)
  DROP INDEX records_platform;
  DROP INDEX records_database;
  DROP INDEX records_cache;
  UPDATE records SET value = json_set(
    json_remove(value, '$.http', '$.php', '$.database'), '$.bindings', json_patch(
      json_patch(
        json_object('http', json_object('service', value ->> '$.http')),
        CASE WHEN value ->> '$.php' IS NULL THEN '{}' ELSE json_object('php', json_object('service', value ->> '$.php')) END
      ),
      json_patch(
        CASE WHEN value ->> '$.database.server' IS NULL THEN '{}' ELSE json_object('db', value -> '$.database') END,
        CASE WHEN json_type(value, '$.bindings') = 'object' THEN value -> '$.bindings' ELSE '{}' END
      )
    )
  ) WHERE kind = 'site' AND value ->> '$.http' IS NOT NULL;
  CREATE INDEX records_platform ON records (kind, value ->> '$.platform', value ->> '$.status', value ->> '$.bindings.http.service');
  -- Which records use a service of another server than their platform's.
  CREATE TABLE uses (server TEXT NOT NULL, service TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL, PRIMARY KEY (server, service, kind, id)) STRICT, WITHOUT ROWID;
  CREATE INDEX uses_id ON uses (kind, id);
  INSERT INTO uses SELECT DISTINCT one.value ->> '$.server', coalesce(one.value ->> '$.service', ''), kind, records.id FROM records, json_each(records.value, '$.bindings') AS one
    WHERE kind = 'site' AND one.type = 'object' AND one.value ->> '$.server' IS NOT NULL;
  `,
  `
  ALTER TABLE tasks ADD COLUMN parent TEXT;
  CREATE INDEX tasks_children ON tasks (parent, seq) WHERE parent IS NOT NULL;
  `,
  `
  -- The lists of the tables as core defines them (src/store/tables): what is asked by an index is a column.
  DROP INDEX records_platform;
  DROP TABLE uses;
  CREATE TABLE uses (
    field TEXT NOT NULL, target TEXT NOT NULL, kind TEXT NOT NULL, status TEXT NOT NULL, platform TEXT NOT NULL, http TEXT NOT NULL, id TEXT NOT NULL,
    PRIMARY KEY (field, target, kind, status, platform, http, id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX uses_id ON uses (kind, id, field, target);
  CREATE TEMP VIEW known AS SELECT kind, id, value, coalesce(value ->> '$.status', '') AS status, coalesce(value ->> '$.platform', '') AS platform,
    coalesce(value ->> '$.bindings.http.service', '') AS http FROM records WHERE json_type(value) = 'object';
  CREATE TEMP VIEW bound AS SELECT DISTINCT known.*, one.value ->> '$.server' AS server, coalesce(one.value ->> '$.service', '') AS service
    FROM known, json_each(known.value, '$.bindings') AS one WHERE one.type = 'object' AND one.value ->> '$.server' IS NOT NULL;
  INSERT INTO uses SELECT 'platform', platform, kind, status, platform, http, id FROM known WHERE value ->> '$.platform' IS NOT NULL;
  INSERT INTO uses SELECT 'server', value ->> '$.server', kind, status, platform, http, id FROM known
    WHERE kind = 'platform' AND value ->> '$.server' IS NOT NULL;
  INSERT OR IGNORE INTO uses SELECT 'server', server, kind, status, platform, http, id FROM bound;
  INSERT OR IGNORE INTO uses SELECT 'service', server || '/' || service, kind, status, platform, http, id FROM bound;
  DROP VIEW bound;
  DROP VIEW known;
  DROP INDEX register_owner;
  CREATE INDEX register_owner ON register (server, owner);
  DROP INDEX tasks_over;
  CREATE INDEX tasks_finished ON tasks (state, finishedAt, seq) WHERE finishedAt IS NOT NULL;
  INSERT INTO counters (name, value) SELECT 'task-places', seq FROM sqlite_sequence WHERE name = 'tasks';
  DROP INDEX plans_expiry;
  CREATE INDEX plans_expiry ON plans (expiresAt, id);
  `,
  `
  CREATE INDEX tasks_waiting ON tasks (seq) WHERE waits IS NOT NULL;
  `,
  `
  ALTER TABLE tasks ADD COLUMN about TEXT;
  -- What core's own requests name, then the one name of its record; tasks of other types from before are found without a subject only.
  UPDATE tasks SET about = lower(ltrim(coalesce(request ->> '$.domain', request ->> '$.site', request ->> '$.platform', request ->> '$.server', request ->> '$.alias'), '@'))
    WHERE json_type(request) = 'object';
  UPDATE tasks SET about = (SELECT records.name FROM claims JOIN records USING (kind, id) WHERE claims.name = tasks.about) WHERE about IN (SELECT name FROM claims);
  UPDATE tasks SET about = (SELECT name FROM records WHERE id = tasks.about) WHERE about IN (SELECT id FROM records);
  CREATE INDEX tasks_about ON tasks (about, seq) WHERE about IS NOT NULL;
  `,
];

/** Migrations of events.db. */
export const EVENT_MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, task TEXT, type TEXT NOT NULL, payload TEXT NOT NULL
  ) STRICT;
  CREATE INDEX events_task ON events (task, seq) WHERE task IS NOT NULL;
  `,
];
