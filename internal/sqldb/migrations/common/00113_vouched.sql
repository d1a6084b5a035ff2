-- +goose Up
-- Whether who set a value is known to know that it is the person's own: what counts is a
-- mail address. Clients of SCIM are believed only when their token says so.
ALTER TABLE attribute_sources ADD COLUMN vouched BOOLEAN NOT NULL DEFAULT FALSE;
UPDATE attribute_sources SET vouched = TRUE WHERE kind IN ('manage', 'import', 'file', 'rule', 'schema');
ALTER TABLE api_tokens ADD COLUMN verifies_email BOOLEAN NOT NULL DEFAULT FALSE;

-- +goose Down
ALTER TABLE api_tokens DROP COLUMN verifies_email;
ALTER TABLE attribute_sources DROP COLUMN vouched;
