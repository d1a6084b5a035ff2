-- +goose Up
-- The inline hooks. channel is JSON without secrets; secrets is sealed JSON, bound to
-- the id. revision rises with every change, so that every node makes its caller anew.
CREATE TABLE inline_hooks (
    id           TEXT   PRIMARY KEY,
    revision     BIGINT NOT NULL,
    name         TEXT   NOT NULL UNIQUE,
    type         TEXT   NOT NULL,
    status       TEXT   NOT NULL,
    version      TEXT   NOT NULL,
    channel      TEXT   NOT NULL,
    secrets      BYTEA  NOT NULL,
    timeout_ms   BIGINT NOT NULL,
    retries      BIGINT NOT NULL,
    failure_mode TEXT   NOT NULL,
    created      BIGINT NOT NULL,
    updated      BIGINT NOT NULL
);

-- +goose Down
DROP TABLE inline_hooks;
