-- +goose Up
-- Where a walk by start index is: the page that begins at start_index begins after
-- position. scope is a keyed hash of the query and its client. Unlogged: a
-- commit of nothing else waits for no disk, and a crash of the database server ends
-- the walks.
CREATE UNLOGGED TABLE list_checkpoints (
    scope       BYTEA  NOT NULL,
    start_index BIGINT NOT NULL,
    client      TEXT   COLLATE "C" NOT NULL,
    position    BYTEA  NOT NULL,
    expires     BIGINT NOT NULL,
    PRIMARY KEY (scope, start_index)
);

-- +goose Down
DROP TABLE list_checkpoints;
