-- +goose Up
-- A sign-in under way, found by the keyed hash of the browser's cookie together with
-- the request it is for. attempts counts the steps taken; step is 'password', 'idp'
-- (the person is at an identity provider) or 'done'. Expired rows go by range.
CREATE TABLE signins (
    hash     BYTEA  PRIMARY KEY,
    step     TEXT   NOT NULL,
    attempts BIGINT NOT NULL,
    request  TEXT   NOT NULL,
    idp      TEXT   NOT NULL,
    pending  BYTEA,
    expires  BIGINT NOT NULL
);
CREATE INDEX signins_expires ON signins (expires);

-- Failures by client address and by account, under keyed hashes. until is when the
-- last of them is forgotten (the theoretical arrival time of GCRA).
CREATE TABLE signin_limits (
    hash  BYTEA  PRIMARY KEY,
    until BIGINT NOT NULL
);
CREATE INDEX signin_limits_until ON signin_limits (until);

-- +goose Down
DROP TABLE signin_limits;
DROP TABLE signins;
