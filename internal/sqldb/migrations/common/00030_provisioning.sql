-- +goose Up
-- Import runs. stage and cursor say where a run goes on after a crash; the cursor is
-- stored in the transaction of the batch that it covers. complete names the kinds of
-- objects whose read has a proven end.
CREATE TABLE import_runs (
    id       TEXT    PRIMARY KEY,
    app_id   TEXT    NOT NULL,
    mode     TEXT    NOT NULL,
    type     TEXT    NOT NULL,
    status   TEXT    NOT NULL,
    stage    TEXT    NOT NULL,
    approved BOOLEAN NOT NULL,
    complete TEXT    NOT NULL DEFAULT '',
    cursors  TEXT    NOT NULL DEFAULT '{}',
    reason   TEXT    NOT NULL DEFAULT '',
    counts   TEXT    NOT NULL DEFAULT '{}',
    actor    TEXT    NOT NULL,
    request  TEXT    NOT NULL DEFAULT '',
    created  BIGINT  NOT NULL,
    finished BIGINT  NOT NULL DEFAULT 0
);
CREATE INDEX import_runs_app ON import_runs (app_id, created);
CREATE INDEX import_runs_open ON import_runs (id) WHERE status = 'RUNNING';

-- What a run read and what it will do with it: staged, then planned, then applied.
CREATE TABLE import_objects (
    run_id      TEXT    NOT NULL REFERENCES import_runs (id),
    kind        TEXT    NOT NULL,
    external_id TEXT    NOT NULL,
    name        TEXT    NOT NULL,
    hash        TEXT    NOT NULL,
    body        TEXT    NOT NULL,
    action      TEXT    NOT NULL DEFAULT '',
    state       TEXT    NOT NULL,
    user_id     TEXT    NOT NULL DEFAULT '',
    login       TEXT    NOT NULL DEFAULT '',
    before_hash TEXT    NOT NULL DEFAULT '',
    delta       TEXT    NOT NULL DEFAULT '{}',
    reason      TEXT    NOT NULL DEFAULT '',
    PRIMARY KEY (run_id, kind, external_id)
);
CREATE INDEX import_objects_state ON import_objects (run_id, state, kind, external_id);
CREATE INDEX import_objects_name ON import_objects (run_id, kind, name);
CREATE INDEX import_objects_action ON import_objects (run_id, kind, action);

-- Where an incremental import of an app goes on.
CREATE TABLE import_cursors (
    app_id TEXT   NOT NULL,
    kind   TEXT   NOT NULL,
    value  BYTEA,
    run_id TEXT   NOT NULL,
    stored BIGINT NOT NULL,
    PRIMARY KEY (app_id, kind)
);

-- Every call that changes something at an app, written before it is made.
CREATE TABLE export_attempts (
    id        TEXT    PRIMARY KEY,
    app_id    TEXT    NOT NULL,
    kind      TEXT    NOT NULL,
    object_id TEXT    NOT NULL,
    operation TEXT    NOT NULL,
    epoch     BIGINT  NOT NULL,
    digest    TEXT    NOT NULL,
    started   BIGINT  NOT NULL,
    finished  BIGINT  NOT NULL DEFAULT 0,
    outcome   TEXT    NOT NULL DEFAULT '',
    status    INTEGER NOT NULL DEFAULT 0,
    body      TEXT    NOT NULL DEFAULT ''
);
CREATE INDEX export_attempts_object ON export_attempts (app_id, kind, object_id, started);

-- Apps that want to be left alone until a time (429 with Retry-After).
CREATE TABLE export_pauses (
    app_id TEXT   PRIMARY KEY,
    until  BIGINT NOT NULL
);

-- +goose Down
DROP TABLE export_pauses;
DROP TABLE export_attempts;
DROP TABLE import_cursors;
DROP TABLE import_objects;
DROP TABLE import_runs;
