-- +goose Up
-- What a SCIM client gave away by its requests; what a token is limited to, as JSON,
-- empty for nothing; whether its client may bring back whom it provisioned before, and
-- whether the mail addresses that it sets are known to be theirs.
ALTER TABLE api_tokens ADD COLUMN detected TEXT NOT NULL DEFAULT '';
ALTER TABLE api_tokens ADD COLUMN limits TEXT NOT NULL DEFAULT '';
ALTER TABLE api_tokens ADD COLUMN reactivates BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE api_tokens ADD COLUMN verifies_email BOOLEAN NOT NULL DEFAULT FALSE;

-- +goose Down
ALTER TABLE api_tokens DROP COLUMN verifies_email;
ALTER TABLE api_tokens DROP COLUMN reactivates;
ALTER TABLE api_tokens DROP COLUMN limits;
ALTER TABLE api_tokens DROP COLUMN detected;
