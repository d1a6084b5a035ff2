-- +goose Up
-- A page of a sorted list is a range of an index: of one type, in the order of the
-- value. A resource without the value has its place there too.
DROP INDEX resources_user_name;
DROP INDEX resources_display_name;
DROP INDEX resources_family_name;
DROP INDEX resources_given_name;
DROP INDEX resources_created;
DROP INDEX resources_modified;
CREATE INDEX resources_user_name    ON resources (type, user_name, rid);
CREATE INDEX resources_display_name ON resources (type, display_name, rid);
CREATE INDEX resources_family_name  ON resources (type, family_name, rid);
CREATE INDEX resources_given_name   ON resources (type, given_name, rid);
CREATE INDEX resources_created      ON resources (type, created, rid);
CREATE INDEX resources_modified     ON resources (type, modified, rid);

-- Totals are counted by block of row numbers, so that the n-th resource is found
-- without passing over the others. A node that knows no blocks leaves them NULL, and
-- housekeeping counts anew.
ALTER TABLE totals ADD COLUMN block BIGINT;
DELETE FROM totals;
INSERT INTO totals (type, block, delta) SELECT type, rid / 4096, count(*) FROM resources GROUP BY 1, 2;
DROP INDEX totals_type;
CREATE INDEX totals_block ON totals (type, block, delta);

-- +goose Down
DROP INDEX totals_block;
ALTER TABLE totals DROP COLUMN block;
CREATE INDEX totals_type ON totals (type, delta);
DROP INDEX resources_user_name;
DROP INDEX resources_display_name;
DROP INDEX resources_family_name;
DROP INDEX resources_given_name;
DROP INDEX resources_created;
DROP INDEX resources_modified;
CREATE INDEX resources_user_name    ON resources (user_name, type, rid) WHERE user_name IS NOT NULL;
CREATE INDEX resources_display_name ON resources (display_name, type, rid) WHERE display_name IS NOT NULL;
CREATE INDEX resources_family_name  ON resources (family_name, type, rid) WHERE family_name IS NOT NULL;
CREATE INDEX resources_given_name   ON resources (given_name, type, rid) WHERE given_name IS NOT NULL;
CREATE INDEX resources_created      ON resources (created, type, rid);
CREATE INDEX resources_modified     ON resources (modified, type, rid);
