-- +goose Up
-- Users and groups. Hot single-valued attributes are columns, folded as the schema
-- says (NULL when absent); everything else indexed stands in attribute_values.
-- rid is never used again: cursors and markers hold it.
CREATE TABLE resources (
    rid             INTEGER PRIMARY KEY AUTOINCREMENT,
    id              TEXT    NOT NULL UNIQUE,
    type            TEXT    NOT NULL,
    version         BIGINT  NOT NULL,
    status          TEXT    NOT NULL,
    active          BOOLEAN NOT NULL,
    created         BIGINT  NOT NULL,
    modified        BIGINT  NOT NULL,
    status_changed  BIGINT  NOT NULL,
    activated       BIGINT,
    last_login      BIGINT,
    members_changed BIGINT,
    user_name       TEXT,
    display_name    TEXT,
    family_name     TEXT,
    given_name      TEXT
);
CREATE INDEX resources_type         ON resources (type, rid);
CREATE INDEX resources_user_name    ON resources (user_name, type, rid) WHERE user_name IS NOT NULL;
CREATE INDEX resources_display_name ON resources (display_name, type, rid) WHERE display_name IS NOT NULL;
CREATE INDEX resources_family_name  ON resources (family_name, type, rid) WHERE family_name IS NOT NULL;
CREATE INDEX resources_given_name   ON resources (given_name, type, rid) WHERE given_name IS NOT NULL;
CREATE INDEX resources_created      ON resources (created, type, rid);
CREATE INDEX resources_modified     ON resources (modified, type, rid);
-- Low cardinality: only the small side is indexed.
CREATE INDEX resources_inactive     ON resources (type, rid) WHERE active = FALSE;
CREATE INDEX resources_status       ON resources (status, type, rid) WHERE status <> 'ACTIVE';

CREATE TABLE documents (
    rid INTEGER PRIMARY KEY,
    doc TEXT NOT NULL
);

-- No index on rid: the entries of a resource are derived from its document.
CREATE TABLE attribute_values (
    path TEXT    NOT NULL,
    val  TEXT    NOT NULL,
    rid  INTEGER NOT NULL,
    elem INTEGER NOT NULL,
    PRIMARY KEY (path, val, rid, elem)
) WITHOUT ROWID;

CREATE TABLE unique_values (
    path TEXT    NOT NULL,
    val  TEXT    NOT NULL,
    rid  INTEGER NOT NULL,
    PRIMARY KEY (path, val)
) WITHOUT ROWID;

-- One namespace of external IDs per SCIM client.
CREATE TABLE external_ids (
    rid    INTEGER NOT NULL,
    client TEXT    NOT NULL,
    value  TEXT    NOT NULL,
    PRIMARY KEY (rid, client)
) WITHOUT ROWID;
CREATE INDEX external_ids_value ON external_ids (client, value, rid);

CREATE TABLE members (
    group_rid  INTEGER NOT NULL REFERENCES resources (rid),
    member_rid INTEGER NOT NULL REFERENCES resources (rid),
    PRIMARY KEY (group_rid, member_rid)
) WITHOUT ROWID;
CREATE INDEX members_reverse ON members (member_rid, group_rid);

-- How many resources there are, as signed rows that reading sums and housekeeping folds.
CREATE TABLE totals (
    n     INTEGER PRIMARY KEY,
    type  TEXT    NOT NULL,
    delta BIGINT  NOT NULL
);
CREATE INDEX totals_type ON totals (type, delta);

CREATE TABLE passwords (
    rid     INTEGER PRIMARY KEY,
    hash    TEXT    NOT NULL,
    changed BIGINT  NOT NULL
);

-- Sign-ins tried since the last good one, by a keyed hash of the account, or of the
-- login when nobody has it: an unknown login costs the same.
CREATE TABLE sign_in_tries (
    account BYTEA   PRIMARY KEY,
    tries   INTEGER NOT NULL,
    last    BIGINT  NOT NULL
);
CREATE INDEX sign_in_tries_last ON sign_in_tries (last);

-- +goose Down
DROP TABLE sign_in_tries;
DROP TABLE passwords;
DROP TABLE totals;
DROP TABLE members;
DROP TABLE external_ids;
DROP TABLE unique_values;
DROP TABLE attribute_values;
DROP TABLE documents;
DROP TABLE resources;
