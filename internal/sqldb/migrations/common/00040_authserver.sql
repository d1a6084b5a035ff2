-- +goose Up
-- Authorization servers and what belongs to them: servers, scopes, claims, access
-- policies and their rules. The body is the object as the management API shows it;
-- all of them are compiled into one snapshot, so nothing in a body is ever searched.
CREATE TABLE auth_objects (
    id     TEXT   PRIMARY KEY,
    kind   TEXT   NOT NULL,
    parent TEXT   REFERENCES auth_objects (id) ON DELETE CASCADE,
    name   TEXT   NOT NULL,
    rank   BIGINT NOT NULL,
    body   TEXT   NOT NULL,
    UNIQUE (kind, parent, name)
);
CREATE UNIQUE INDEX auth_objects_server ON auth_objects (name) WHERE parent IS NULL; -- null is like no other null
CREATE INDEX auth_objects_parent ON auth_objects (parent);

-- Signing keys: the private part is sealed, the public part stays in the JWKS until
-- no token signed with it can still be valid.
CREATE TABLE auth_keys (
    kid     TEXT   PRIMARY KEY,
    as_id   TEXT   NOT NULL REFERENCES auth_objects (id) ON DELETE CASCADE,
    alg     TEXT   NOT NULL,
    status  TEXT   NOT NULL,
    sealed  BYTEA  NOT NULL,
    created BIGINT NOT NULL,
    changed BIGINT NOT NULL
);
CREATE UNIQUE INDEX auth_keys_one ON auth_keys (as_id, alg, status) WHERE status <> 'EXPIRED';

CREATE TABLE oauth_clients (
    id      TEXT   PRIMARY KEY,
    name    TEXT   NOT NULL,
    secret  BYTEA,
    body    TEXT   NOT NULL,
    created BIGINT NOT NULL,
    updated BIGINT NOT NULL
);

-- One row for each authorization by a person: its code, PKCE challenge, nonce and
-- everything that its tokens say. Code, access and refresh tokens of the row are one
-- family and die with it.
CREATE TABLE oauth_grants (
    id           TEXT   PRIMARY KEY,
    as_id        TEXT   NOT NULL,
    client_id    TEXT   NOT NULL,
    user_id      TEXT   NOT NULL,
    session_id   TEXT   NOT NULL,
    code         BYTEA  NOT NULL UNIQUE,
    code_expires BIGINT NOT NULL,
    code_used    BIGINT NOT NULL DEFAULT 0,
    revoked      BIGINT NOT NULL DEFAULT 0,
    offline      BOOLEAN NOT NULL,
    expires      BIGINT NOT NULL,
    body         TEXT   NOT NULL
);
CREATE INDEX oauth_grants_user ON oauth_grants (user_id) WHERE revoked = 0;
CREATE INDEX oauth_grants_session ON oauth_grants (session_id) WHERE revoked = 0;
CREATE INDEX oauth_grants_expires ON oauth_grants (expires);

-- Refresh tokens by their keyed hash. A rotated one stays until it would have
-- expired, so that its reuse is seen; successor is sealed under the token itself.
CREATE TABLE oauth_refresh_tokens (
    hash      BYTEA  PRIMARY KEY,
    id        TEXT   NOT NULL,
    grant_id  TEXT   NOT NULL REFERENCES oauth_grants (id) ON DELETE CASCADE,
    issued    BIGINT NOT NULL,
    expires   BIGINT NOT NULL,
    used      BIGINT NOT NULL DEFAULT 0,
    successor BYTEA
);
CREATE INDEX oauth_refresh_tokens_grant ON oauth_refresh_tokens (grant_id);
CREATE INDEX oauth_refresh_tokens_expires ON oauth_refresh_tokens (expires);

-- Access tokens revoked one by one (RFC 7009), until they would have expired.
CREATE TABLE oauth_revoked (
    as_id   TEXT   NOT NULL,
    jti     TEXT   NOT NULL,
    expires BIGINT NOT NULL,
    PRIMARY KEY (as_id, jti)
);
CREATE INDEX oauth_revoked_expires ON oauth_revoked (expires);

-- Client assertions that were used (RFC 7523, section 3): one use for each jti.
CREATE TABLE oauth_assertions (
    client_id TEXT   NOT NULL,
    jti       BYTEA  NOT NULL,
    expires   BIGINT NOT NULL,
    PRIMARY KEY (client_id, jti)
);
CREATE INDEX oauth_assertions_expires ON oauth_assertions (expires);

-- +goose Down
DROP TABLE oauth_assertions;
DROP TABLE oauth_revoked;
DROP TABLE oauth_refresh_tokens;
DROP TABLE oauth_grants;
DROP TABLE oauth_clients;
DROP TABLE auth_keys;
DROP TABLE auth_objects;
