-- +goose Up
-- A lease gives one runner the right to a piece of work; every write of the runner
-- checks the epoch, which rises when another takes over.
CREATE TABLE leases (
    name    TEXT   PRIMARY KEY,
    owner   TEXT   NOT NULL,
    epoch   BIGINT NOT NULL,
    expires BIGINT NOT NULL
);

-- A cursor is how far a consumer of the events has come.
CREATE TABLE event_cursors (
    consumer TEXT   PRIMARY KEY,
    seq      BIGINT NOT NULL
);

-- The version of each configuration snapshot, polled by every node.
CREATE TABLE snapshot_versions (
    name    TEXT   PRIMARY KEY,
    version BIGINT NOT NULL
);

-- API tokens: the token itself is never stored, only its keyed hash.
CREATE TABLE api_tokens (
    id      TEXT   PRIMARY KEY,
    name    TEXT   NOT NULL,
    hash    BYTEA  NOT NULL UNIQUE,
    scopes  TEXT   NOT NULL,
    user_id TEXT   NOT NULL DEFAULT '',
    dialect TEXT   NOT NULL DEFAULT '',
    created BIGINT NOT NULL,
    expires BIGINT NOT NULL
);

-- +goose Down
DROP TABLE api_tokens;
DROP TABLE snapshot_versions;
DROP TABLE event_cursors;
DROP TABLE leases;
