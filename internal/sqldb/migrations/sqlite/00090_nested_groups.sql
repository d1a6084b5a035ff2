-- +goose Up
-- Groups that are members of groups. They stand apart from members, so that whoever
-- looks there for people never meets a group.
CREATE TABLE nested_groups (
    group_rid  INTEGER NOT NULL REFERENCES resources (rid),
    member_rid INTEGER NOT NULL REFERENCES resources (rid),
    PRIMARY KEY (group_rid, member_rid)
) WITHOUT ROWID;
CREATE INDEX nested_groups_reverse ON nested_groups (member_rid, group_rid);

-- When what a group shows of itself in the groups of its members was last another: its
-- name, or the groups it is in. Readers ask for it, so that a rename writes one row.
ALTER TABLE resources ADD COLUMN shown_changed BIGINT;

-- Groups that are deleted and still have members to be taken out, a batch at a time.
-- apps are those that the group was assigned to, cause is the change that deleted it.
CREATE TABLE removed_groups (
    group_rid INTEGER PRIMARY KEY,
    apps      TEXT    NOT NULL,
    cause     TEXT    NOT NULL
);

-- +goose Down
DROP TABLE removed_groups;
ALTER TABLE resources DROP COLUMN shown_changed;
DROP TABLE nested_groups;
