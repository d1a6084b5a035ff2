-- +goose Up
-- Imports of files. How far one has come is written in the transaction of each batch,
-- so that it goes on after a stop without doing anything twice.
CREATE TABLE data_imports (
    id          TEXT   PRIMARY KEY,
    fingerprint TEXT   NOT NULL,
    file        TEXT   NOT NULL,
    status      TEXT   NOT NULL,
    pass        INTEGER NOT NULL,
    done        BIGINT NOT NULL,
    counts      TEXT   NOT NULL,
    started     BIGINT NOT NULL,
    changed     BIGINT NOT NULL
);
-- One file is imported by one at a time.
CREATE UNIQUE INDEX data_imports_running ON data_imports (fingerprint) WHERE status = 'RUNNING';

-- The records that could not be taken, of imports that are not finished. What the record
-- said is in the file.
CREATE TABLE data_import_rejects (
    import_id TEXT    NOT NULL,
    pass      INTEGER NOT NULL,
    record    BIGINT  NOT NULL,
    line      BIGINT  NOT NULL,
    reason    TEXT    NOT NULL,
    detail    TEXT    NOT NULL,
    PRIMARY KEY (import_id, pass, record)
);

-- Which version of the mapping gave a value; 0 for a value that no mapping gave.
ALTER TABLE attribute_sources ADD COLUMN mapping_version BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE attribute_sources DROP COLUMN mapping_version;
DROP TABLE data_import_rejects;
DROP TABLE data_imports;
