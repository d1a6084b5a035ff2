-- +goose Up
-- The system log. seq is null at insert and stamped onto committed rows by one leased
-- sequencer: a number drawn before commit would be skipped by whoever follows it.
CREATE TABLE events (
    n       BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    seq     BIGINT UNIQUE,
    id      TEXT   NOT NULL UNIQUE,
    time    BIGINT NOT NULL,
    type    TEXT   NOT NULL,
    subject TEXT   COLLATE "C" NOT NULL,
    body    TEXT   NOT NULL,
    hash    BYTEA
);
CREATE INDEX events_subject ON events (subject, seq);
CREATE INDEX events_time ON events (time);
CREATE INDEX events_unstamped ON events (n) WHERE seq IS NULL;

-- +goose Down
DROP TABLE events;
