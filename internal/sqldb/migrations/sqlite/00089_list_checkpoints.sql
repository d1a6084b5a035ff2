-- +goose Up
-- Where a walk by start index is: the page that begins at start_index begins after
-- position. scope is a keyed hash of the query and its client.
CREATE TABLE list_checkpoints (
    scope       BYTEA  NOT NULL,
    start_index BIGINT NOT NULL,
    client      TEXT   NOT NULL,
    position    BYTEA  NOT NULL,
    expires     BIGINT NOT NULL,
    PRIMARY KEY (scope, start_index)
) WITHOUT ROWID;

-- +goose Down
DROP TABLE list_checkpoints;
