-- +goose Up
-- Apps: LDAP directories and SaaS applications. The secrets of settings are sealed in
-- a column of their own; mastering and pushes say in SQL what the features say.
CREATE TABLE apps (
    id        TEXT    PRIMARY KEY,
    name      TEXT    NOT NULL,
    label     TEXT    NOT NULL UNIQUE,
    status    TEXT    NOT NULL,
    features  TEXT    NOT NULL,
    settings  TEXT    NOT NULL,
    secrets   BYTEA,
    mastering BOOLEAN NOT NULL,
    pushes    BOOLEAN NOT NULL,
    created   BIGINT  NOT NULL,
    modified  BIGINT  NOT NULL,
    version   BIGINT  NOT NULL
);

-- One person's account at an app. A row outlives its user until the account has been
-- turned off, so that user_id refers to nothing.
CREATE TABLE app_users (
    app_id         TEXT    NOT NULL REFERENCES apps (id),
    user_id        TEXT    NOT NULL,
    lane           INTEGER NOT NULL,
    external_id    TEXT,
    remote_name    TEXT    NOT NULL DEFAULT '',
    status         TEXT    NOT NULL,
    sync_state     TEXT    NOT NULL,
    scope          TEXT    NOT NULL,
    assigned       BOOLEAN NOT NULL,
    creating       BOOLEAN NOT NULL DEFAULT FALSE,
    profile        TEXT    NOT NULL DEFAULT '{}',
    shadow         TEXT    NOT NULL DEFAULT '{}',
    applied        TEXT    NOT NULL DEFAULT '{}',
    remote_version TEXT    NOT NULL DEFAULT '',
    remote_active  BOOLEAN NOT NULL DEFAULT FALSE,
    hash           TEXT    NOT NULL DEFAULT '',
    last_sync      BIGINT  NOT NULL DEFAULT 0,
    status_changed BIGINT  NOT NULL,
    created        BIGINT  NOT NULL,
    modified       BIGINT  NOT NULL,
    PRIMARY KEY (app_id, user_id)
);
CREATE UNIQUE INDEX app_users_external ON app_users (app_id, external_id) WHERE external_id IS NOT NULL;
CREATE INDEX app_users_user ON app_users (user_id, app_id);
CREATE INDEX app_users_name ON app_users (app_id, remote_name);

-- Groups whose members have accounts at an app.
CREATE TABLE app_groups (
    app_id   TEXT    NOT NULL REFERENCES apps (id),
    group_id TEXT    NOT NULL,
    priority INTEGER NOT NULL,
    created  BIGINT  NOT NULL,
    PRIMARY KEY (app_id, group_id)
);
CREATE INDEX app_groups_group ON app_groups (group_id, app_id);

-- Groups that an app has too: imported from it, or pushed to it.
CREATE TABLE app_group_links (
    app_id         TEXT    NOT NULL REFERENCES apps (id),
    group_id       TEXT    NOT NULL,
    external_id    TEXT,
    remote_name    TEXT    NOT NULL DEFAULT '',
    creating       BOOLEAN NOT NULL DEFAULT FALSE,
    imported       BOOLEAN NOT NULL,
    name           TEXT    NOT NULL DEFAULT '',
    remote_version TEXT    NOT NULL DEFAULT '',
    hash           TEXT    NOT NULL DEFAULT '',
    last_sync      BIGINT  NOT NULL DEFAULT 0,
    PRIMARY KEY (app_id, group_id)
);
CREATE UNIQUE INDEX app_group_links_external ON app_group_links (app_id, external_id) WHERE external_id IS NOT NULL;
CREATE INDEX app_group_links_group ON app_group_links (group_id, app_id);

-- Members of such a group as the app was last known to have them.
CREATE TABLE app_group_members (
    app_id   TEXT NOT NULL,
    group_id TEXT NOT NULL,
    user_id  TEXT NOT NULL,
    PRIMARY KEY (app_id, group_id, user_id)
);

-- One pair for each app and identity provider: their profile to ours, and back.
CREATE TABLE mappings (
    id          TEXT   PRIMARY KEY,
    source_id   TEXT   NOT NULL,
    source_name TEXT   NOT NULL,
    source_type TEXT   NOT NULL,
    target_id   TEXT   NOT NULL,
    target_name TEXT   NOT NULL,
    target_type TEXT   NOT NULL,
    properties  TEXT   NOT NULL,
    modified    BIGINT NOT NULL,
    version     BIGINT NOT NULL,
    UNIQUE (source_id, target_id)
);
CREATE INDEX mappings_target ON mappings (target_id, source_id);

-- What the mappings of a partner do with attributes of our profile: a change of one
-- that it 'reads' is pushed, one that it 'writes' belongs to it when it masters.
CREATE TABLE mapping_uses (
    partner_id TEXT NOT NULL,
    attr       TEXT NOT NULL,
    used       TEXT NOT NULL,
    PRIMARY KEY (partner_id, used, attr)
);

-- Where the present value of each attribute comes from.
CREATE TABLE attribute_sources (
    rid     BIGINT NOT NULL,
    attr    TEXT   NOT NULL,
    kind    TEXT   NOT NULL,
    source  TEXT   NOT NULL,
    mapping TEXT   NOT NULL,
    event   TEXT   NOT NULL,
    time    BIGINT NOT NULL,
    PRIMARY KEY (rid, attr)
);

-- An app that must hear of a change: one row per object, however often it changes.
-- generation rises with each change, so that what comes while an attempt runs is not lost.
CREATE TABLE markers (
    app_id       TEXT    NOT NULL,
    kind         TEXT    NOT NULL,
    object_id    TEXT    NOT NULL,
    lane         INTEGER NOT NULL,
    generation   BIGINT  NOT NULL,
    status       TEXT    NOT NULL,
    task_id      TEXT    NOT NULL,
    operation    TEXT    NOT NULL DEFAULT '',
    attempts     INTEGER NOT NULL DEFAULT 0,
    changed      BIGINT  NOT NULL,
    next_try     BIGINT  NOT NULL,
    error_status INTEGER NOT NULL DEFAULT 0,
    error_body   TEXT    NOT NULL DEFAULT '',
    error_kind   TEXT    NOT NULL DEFAULT '',
    PRIMARY KEY (app_id, kind, object_id)
);
CREATE INDEX markers_due ON markers (next_try, app_id, lane) WHERE status <> 'FAILED';
CREATE INDEX markers_task ON markers (app_id, task_id);

-- +goose Down
DROP TABLE markers;
DROP TABLE attribute_sources;
DROP TABLE mapping_uses;
DROP TABLE mappings;
DROP TABLE app_group_members;
DROP TABLE app_group_links;
DROP TABLE app_groups;
DROP TABLE app_users;
DROP TABLE apps;
