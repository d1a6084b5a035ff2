-- +goose Up
-- Who is told what changes, and how far each has come: every event up to position has
-- been taken by the receiver, is of no interest to it, or is among the outstanding.
CREATE TABLE event_streams (
    id            TEXT    PRIMARY KEY,
    config        TEXT    NOT NULL,
    secret        BYTEA,
    method        TEXT    NOT NULL,
    status        TEXT    NOT NULL,
    created       BIGINT  NOT NULL,
    updated       BIGINT  NOT NULL,
    position      BIGINT  NOT NULL,
    delivered     BIGINT  NOT NULL DEFAULT 0,
    attempts      INTEGER NOT NULL DEFAULT 0,
    next_try      BIGINT  NOT NULL DEFAULT 0,
    error         TEXT    NOT NULL DEFAULT '',
    error_time    BIGINT  NOT NULL DEFAULT 0
);

-- What a poll has returned and nobody has acknowledged.
CREATE TABLE event_stream_outstanding (
    stream_id TEXT   NOT NULL REFERENCES event_streams (id),
    seq       BIGINT NOT NULL,
    PRIMARY KEY (stream_id, seq)
);

-- What a receiver has refused for good.
CREATE TABLE event_stream_letters (
    stream_id   TEXT   NOT NULL REFERENCES event_streams (id),
    seq         BIGINT NOT NULL,
    event       TEXT   NOT NULL,
    err         TEXT   NOT NULL,
    description TEXT   NOT NULL,
    time        BIGINT NOT NULL,
    PRIMARY KEY (stream_id, seq)
);

-- The keys that sign: one of an algorithm signs, and one is published ahead of its use.
CREATE TABLE event_keys (
    kid     TEXT   PRIMARY KEY,
    alg     TEXT   NOT NULL,
    status  TEXT   NOT NULL,
    sealed  BYTEA  NOT NULL,
    created BIGINT NOT NULL,
    changed BIGINT NOT NULL
);
CREATE UNIQUE INDEX event_keys_current ON event_keys (alg, status) WHERE status <> 'EXPIRED';

-- +goose Down
DROP TABLE event_keys;
DROP TABLE event_stream_letters;
DROP TABLE event_stream_outstanding;
DROP TABLE event_streams;
