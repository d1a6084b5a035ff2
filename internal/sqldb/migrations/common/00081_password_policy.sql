-- +goose Up
-- One row: the password policy of the organisation. A setting that is not stored has
-- its default.
CREATE TABLE password_policy (
    n        INTEGER PRIMARY KEY CHECK (n = 1),
    id       TEXT    NOT NULL,
    settings TEXT    NOT NULL,
    created  BIGINT  NOT NULL,
    modified BIGINT  NOT NULL
);

-- +goose Down
DROP TABLE password_policy;
