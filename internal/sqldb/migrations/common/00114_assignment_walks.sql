-- +goose Up
-- Groups that were assigned to an app or unassigned, and how far their members have got
-- their accounts, or lost them: in the order of their row numbers.
CREATE TABLE app_group_walks (
    app_id   TEXT    NOT NULL REFERENCES apps (id),
    group_id TEXT    NOT NULL,
    joins    BOOLEAN NOT NULL,
    after    BIGINT  NOT NULL,
    cause    TEXT    NOT NULL,
    PRIMARY KEY (app_id, group_id)
);
CREATE INDEX app_group_walks_group ON app_group_walks (group_id);

-- +goose Down
DROP TABLE app_group_walks;
