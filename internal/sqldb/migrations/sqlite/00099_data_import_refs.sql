-- +goose Up
-- What the records of an unfinished import are called in its file, and the IDs that they
-- have here.
CREATE TABLE data_import_refs (
    import_id TEXT NOT NULL,
    ref       TEXT NOT NULL,
    id        TEXT NOT NULL,
    PRIMARY KEY (import_id, ref)
) WITHOUT ROWID;

-- +goose Down
DROP TABLE data_import_refs;
