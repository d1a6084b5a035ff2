-- +goose Up
-- What a SCIM client gave away by its requests; what a token is limited to, as JSON,
-- empty for nothing; whether its client may bring back whom it provisioned before.
ALTER TABLE api_tokens ADD COLUMN detected TEXT NOT NULL DEFAULT '';
ALTER TABLE api_tokens ADD COLUMN limits TEXT NOT NULL DEFAULT '';
ALTER TABLE api_tokens ADD COLUMN reactivates BOOLEAN NOT NULL DEFAULT FALSE;

-- +goose Down
ALTER TABLE api_tokens DROP COLUMN reactivates;
ALTER TABLE api_tokens DROP COLUMN limits;
ALTER TABLE api_tokens DROP COLUMN detected;
