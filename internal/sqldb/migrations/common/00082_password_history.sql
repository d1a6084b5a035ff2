-- +goose Up
-- Hashes of a user's former passwords, as many as the policy remembers; n rises with
-- each change.
CREATE TABLE password_history (
    rid  BIGINT NOT NULL,
    n    BIGINT NOT NULL,
    hash TEXT   NOT NULL,
    PRIMARY KEY (rid, n)
);

-- +goose Down
DROP TABLE password_history;
