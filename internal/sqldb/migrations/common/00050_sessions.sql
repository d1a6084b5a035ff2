-- +goose Up
-- A session is found by the keyed hash of its cookie; the cookie is never stored.
CREATE TABLE sessions (
    hash      BYTEA  PRIMARY KEY,
    id        TEXT   NOT NULL UNIQUE,
    user_id   TEXT   NOT NULL,
    auth_time BIGINT NOT NULL,
    created   BIGINT NOT NULL,
    expires   BIGINT NOT NULL,
    amr       TEXT   NOT NULL,
    idp       TEXT   NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_expires ON sessions (expires);

-- +goose Down
DROP TABLE sessions;
