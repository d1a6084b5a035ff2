-- +goose Up
-- Identity providers. config is the document without the client secret, which stands
-- sealed beside it.
CREATE TABLE idps (
    id      TEXT   PRIMARY KEY,
    name    TEXT   NOT NULL,
    folded  TEXT   NOT NULL UNIQUE,
    type    TEXT   NOT NULL,
    status  TEXT   NOT NULL,
    created BIGINT NOT NULL,
    updated BIGINT NOT NULL,
    config  TEXT   NOT NULL,
    secret  BYTEA
);

-- Which subject of which provider is which user. An e-mail address is never a key.
-- proof says why the two are one: 'verified' or 'unverified' (the address when the
-- user was made by the provider), 'matched' (linked by policy), 'admin'.
CREATE TABLE idp_links (
    idp_id    TEXT   NOT NULL REFERENCES idps (id) ON DELETE CASCADE,
    issuer    TEXT   NOT NULL,
    subject   TEXT   NOT NULL,
    user_id   TEXT   NOT NULL REFERENCES resources (id) ON DELETE CASCADE,
    proof     TEXT   NOT NULL,
    created   BIGINT NOT NULL,
    updated   BIGINT NOT NULL,
    last_seen BIGINT,
    claims    TEXT   NOT NULL,
    PRIMARY KEY (idp_id, issuer, subject),
    UNIQUE (idp_id, user_id)
);
CREATE INDEX idp_links_user ON idp_links (user_id);

-- +goose Down
DROP TABLE idp_links;
DROP TABLE idps;
