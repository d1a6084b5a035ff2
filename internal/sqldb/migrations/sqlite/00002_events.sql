-- +goose Up
-- The system log. The writer stamps seq and hash as it writes; hash chains each row to
-- the one before.
CREATE TABLE events (
    n       INTEGER PRIMARY KEY,
    seq     BIGINT UNIQUE,
    id      TEXT   NOT NULL UNIQUE,
    time    BIGINT NOT NULL,
    type    TEXT   NOT NULL,
    subject TEXT   NOT NULL,
    body    TEXT   NOT NULL,
    hash    BYTEA
);
CREATE INDEX events_subject ON events (subject, seq);
CREATE INDEX events_time ON events (time);

-- +goose Down
DROP TABLE events;
