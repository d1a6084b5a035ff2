-- +goose Up
-- What the records of an unfinished import are called in its file, and the IDs that they
-- have here.
CREATE TABLE data_import_refs (
    import_id TEXT COLLATE "C" NOT NULL,
    ref       TEXT COLLATE "C" NOT NULL,
    id        TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (import_id, ref)
);

-- +goose Down
DROP TABLE data_import_refs;
