-- +goose Up
-- Relations between users, as manager and subordinate: an associated user has one
-- primary user, a primary user many associated ones. A row names the definition by its
-- primary name.
CREATE TABLE link_definitions (
    primary_name           TEXT   PRIMARY KEY,
    primary_title          TEXT   NOT NULL,
    primary_description    TEXT   NOT NULL,
    associated_name        TEXT   NOT NULL UNIQUE,
    associated_title       TEXT   NOT NULL,
    associated_description TEXT   NOT NULL,
    created                BIGINT NOT NULL
);

CREATE TABLE links (
    associated_rid BIGINT NOT NULL,
    definition     TEXT   NOT NULL,
    primary_rid    BIGINT NOT NULL,
    PRIMARY KEY (associated_rid, definition)
);
CREATE INDEX links_primary ON links (primary_rid, definition, associated_rid);
CREATE INDEX links_definition ON links (definition);

-- +goose Down
DROP TABLE links;
DROP TABLE link_definitions;
