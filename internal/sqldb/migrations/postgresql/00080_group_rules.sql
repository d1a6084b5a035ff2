-- +goose Up
-- Group rules: who matches a condition over the profile is a member of the targets.
-- A pass brings the whole directory to what a change of the rule demands: APPLY after
-- it is activated, REMOVE takes its memberships back, RELEASE leaves them as if they
-- had been given by hand. pass_id is new with each pass, so that a batch of one that
-- was overtaken changes nothing. It waits until transactions from before pass_horizon
-- have ended, and looks at users from after pass_after to pass_until.
CREATE TABLE group_rules (
    id           TEXT COLLATE "C" PRIMARY KEY,
    name         TEXT    NOT NULL,
    name_folded  TEXT    NOT NULL,
    status       TEXT    NOT NULL,
    expression   TEXT    NOT NULL,
    created      BIGINT  NOT NULL,
    modified     BIGINT  NOT NULL,
    version      BIGINT  NOT NULL,
    pass         TEXT    NOT NULL DEFAULT '',
    pass_id      TEXT COLLATE "C" NOT NULL DEFAULT '',
    pass_horizon BIGINT  NOT NULL DEFAULT 0,
    pass_after   BIGINT  NOT NULL DEFAULT 0,
    pass_until   BIGINT  NOT NULL DEFAULT 0,
    pass_done    BIGINT  NOT NULL DEFAULT 0,
    pass_total   BIGINT  NOT NULL DEFAULT 0,
    pass_started BIGINT  NOT NULL DEFAULT 0
);

-- What the conditions read: attributes of the profile, '*' for all of it.
CREATE TABLE rule_inputs (
    attr    TEXT COLLATE "C" NOT NULL,
    rule_id TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (attr, rule_id)
);

CREATE TABLE rule_targets (
    rule_id   TEXT COLLATE "C" NOT NULL,
    group_rid BIGINT  NOT NULL,
    group_id  TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (rule_id, group_rid)
);
CREATE INDEX rule_targets_group ON rule_targets (group_rid, rule_id);

CREATE TABLE rule_exclusions (
    user_rid BIGINT  NOT NULL,
    rule_id  TEXT COLLATE "C" NOT NULL,
    user_id  TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (user_rid, rule_id)
);
CREATE INDEX rule_exclusions_rule ON rule_exclusions (rule_id);

-- The memberships that rules grant. One that is kept out was taken away by hand, and
-- its rule does not give it back.
CREATE TABLE rule_grants (
    group_rid  BIGINT  NOT NULL,
    member_rid BIGINT  NOT NULL,
    rule_id    TEXT COLLATE "C" NOT NULL,
    kept_out   BOOLEAN NOT NULL,
    PRIMARY KEY (group_rid, member_rid, rule_id)
);
CREATE INDEX rule_grants_member ON rule_grants (member_rid);
CREATE INDEX rule_grants_rule   ON rule_grants (rule_id, member_rid);

-- The granted memberships that were given by hand as well.
CREATE TABLE rule_hand_members (
    group_rid  BIGINT  NOT NULL,
    member_rid BIGINT  NOT NULL,
    PRIMARY KEY (group_rid, member_rid)
);
CREATE INDEX rule_hand_members_member ON rule_hand_members (member_rid);

-- +goose Down
DROP TABLE rule_hand_members;
DROP TABLE rule_grants;
DROP TABLE rule_exclusions;
DROP TABLE rule_targets;
DROP TABLE rule_inputs;
DROP TABLE group_rules;
