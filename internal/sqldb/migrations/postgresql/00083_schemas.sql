-- +goose Up
-- What the organisation has defined beyond the built-in schemas: SCIM schemas (kind
-- 'schema', by URN), resource types ('type', by name), changes of base attributes
-- ('base', by "User.login") and attributes of the profile at an app ('app', by its ID).
-- The version of all of it together is that of the snapshot 'schemas', which a writer
-- of resources compares in its transaction.
CREATE TABLE schema_definitions (
    kind     TEXT COLLATE "C" NOT NULL,
    id       TEXT COLLATE "C" NOT NULL,
    position INTEGER NOT NULL,
    body     TEXT    NOT NULL,
    created  BIGINT  NOT NULL,
    modified BIGINT  NOT NULL,
    PRIMARY KEY (kind, id)
);

-- What a change of a definition makes of the resources that are there, in small
-- transactions: see package directory. phase, horizon, after_rid and until_rid are how
-- far it has come; former is the definition that comes back when it fails.
CREATE TABLE schema_operations (
    id        TEXT COLLATE "C" PRIMARY KEY,
    kind      TEXT COLLATE "C" NOT NULL,
    type      TEXT COLLATE "C" NOT NULL,
    schema    TEXT COLLATE "C" NOT NULL,
    attribute TEXT COLLATE "C" NOT NULL,
    path      TEXT COLLATE "C" NOT NULL,
    status    TEXT COLLATE "C" NOT NULL,
    reason    TEXT    NOT NULL DEFAULT '',
    former    TEXT    NOT NULL DEFAULT '',
    phase     INTEGER NOT NULL DEFAULT 0,
    horizon   BIGINT  NOT NULL DEFAULT 0,
    after_rid BIGINT  NOT NULL DEFAULT 0,
    until_rid BIGINT  NOT NULL DEFAULT -1,
    done      BIGINT  NOT NULL DEFAULT 0,
    total     BIGINT  NOT NULL DEFAULT 0,
    created   BIGINT  NOT NULL,
    finished  BIGINT  NOT NULL DEFAULT 0
);
CREATE INDEX schema_operations_status ON schema_operations (status, created, id);

INSERT INTO snapshot_versions (name, version) VALUES ('schemas', 1);

-- +goose Down
DELETE FROM snapshot_versions WHERE name = 'schemas';
DROP TABLE schema_operations;
DROP TABLE schema_definitions;
