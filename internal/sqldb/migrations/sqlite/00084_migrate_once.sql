-- +goose Up
-- Of processes that open a new file at once, one runs each migration: the row that
-- says it has run is part of its transaction, and a second one undoes it. A migration
-- that makes no table would not fail by itself.
CREATE UNIQUE INDEX goose_db_version_once ON goose_db_version (version_id);

-- +goose Down
DROP INDEX goose_db_version_once;
