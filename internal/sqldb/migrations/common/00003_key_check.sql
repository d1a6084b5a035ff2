-- +goose Up
-- One row: a known value sealed under the master key of this database.
CREATE TABLE key_check (
    id     BIGINT PRIMARY KEY CHECK (id = 1),
    sealed BYTEA  NOT NULL
);

-- +goose Down
DROP TABLE key_check;
