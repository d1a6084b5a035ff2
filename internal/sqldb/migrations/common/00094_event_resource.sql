-- +goose Up
-- The resource that an event changed, as "User/00u...": NULL when it changed none. The
-- index holds all that a reader of changes needs to know which resources to look at,
-- so that it reads no bodies. It holds stamped events only: one entry for each event.
ALTER TABLE events ADD COLUMN resource TEXT;
CREATE INDEX events_resource ON events (seq, resource) WHERE resource IS NOT NULL AND seq IS NOT NULL;

-- +goose Down
DROP INDEX events_resource;
ALTER TABLE events DROP COLUMN resource;
