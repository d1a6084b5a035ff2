package directory

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/provost-id/provost/schemas/expr"
)

// RuleStatus is where a group rule stands.
type RuleStatus string

// The statuses of a rule. What a rule granted stays while it is not active, until it
// is active again or its members are removed.
const (
	RuleActive   RuleStatus = "ACTIVE"
	RuleInactive RuleStatus = "INACTIVE"
	RuleInvalid  RuleStatus = "INVALID" // a target group is gone, or the condition no longer compiles

	ruleDeleted RuleStatus = "DELETED" // until the last batch of its pass; nobody sees it
)

// Bounds of rules (the contract); maxRules bounds what a new user is
// held against.
const (
	maxRuleName    = 50
	maxRuleTargets = 100
	maxRuleExclude = 100
	maxRules       = 2000
)

var (
	// ErrRuleActive is returned for a change of a rule that is not INACTIVE.
	ErrRuleActive = errors.New("a rule can be changed only while it is INACTIVE")
	// ErrTooManyRules is returned when the organisation has as many rules as it may.
	ErrTooManyRules = fmt.Errorf("an organisation has at most %d group rules", maxRules)
)

// GroupRule makes everybody whose profile fulfils a condition a member of groups. A
// membership that it granted goes when the condition no longer holds, unless another
// rule grants it or somebody gave it by hand. One that is taken away by hand is not
// granted again by the same rule until it is given by hand.
//
// A condition reads the profile and nothing else. What rules do changes no profile, so
// that no rule can set off another.
type GroupRule struct {
	ID        string
	Name      string // 1 to 50 characters
	Status    RuleStatus
	Condition string   // a boolean expression over "user"
	Inputs    []string // attributes of the profile that it reads, "*" for all
	Groups    []string // IDs of the target groups, 1 to 100; they never change
	Exclude   []string // IDs of users that the rule passes over, at most 100
	Created   time.Time
	Modified  time.Time
	Version   int64
	// Pass is the work on the whole directory that is under way, nil for none.
	Pass *RulePass
}

// Valid reports whether all target groups exist and the condition compiles.
func (r *GroupRule) Valid() bool { return r.Status != RuleInvalid }

// Kinds of RulePass.
const (
	PassApply  = "APPLY"  // holds everybody against the rule
	PassRemove = "REMOVE" // takes back what it granted

	passRelease = "RELEASE" // of a deleted rule: leaves its members as if given by hand
)

// RulePass is how far a pass over the directory has come.
type RulePass struct {
	Operation string
	Done      int64 // people that were looked at
	Total     int64 // people to look at, when it began
	Started   time.Time
}

// RuleEnv declares what a condition may name: the profile of the user.
func (d *Directory) RuleEnv() expr.Env {
	user := expr.Object{Attributes: d.profileTypes(), NonNull: []string{"login"}}
	return expr.Env{Objects: map[string]expr.Object{"user": user}, Result: expr.Bool}
}

// checkRule refuses what no rule may have, and records what the condition reads.
func (d *Directory) checkRule(r *GroupRule) error {
	r.Name = strings.TrimSpace(r.Name)
	if n := utf8.RuneCountInString(r.Name); n < 1 || n > maxRuleName {
		return &InvalidError{Field: "name", Reason: fmt.Sprintf("must be 1 to %d characters", maxRuleName)}
	}
	r.Groups, r.Exclude = distinct(r.Groups), distinct(r.Exclude)
	if n := len(r.Groups); n < 1 || n > maxRuleTargets {
		return &InvalidError{Field: "actions.assignUserToGroups.groupIds", Reason: fmt.Sprintf("must name 1 to %d groups", maxRuleTargets)}
	}
	if len(r.Exclude) > maxRuleExclude {
		return &InvalidError{Field: "conditions.people.users.exclude", Reason: fmt.Sprintf("must name at most %d users", maxRuleExclude)}
	}
	prog, err := d.rules.compile(d, r.Condition)
	if err != nil {
		return &InvalidError{Field: "conditions.expression.value", Reason: err.Error()}
	}
	r.Inputs = profileInputs(prog)
	return nil
}

// profileInputs are the attributes of the profile that a condition reads, "*" for all.
func profileInputs(prog *expr.Program) []string {
	inputs := []string{}
	for _, in := range prog.Inputs() {
		if in == "user" {
			return []string{"*"}
		}
		inputs = append(inputs, strings.TrimPrefix(in, "user."))
	}
	return inputs
}

// distinct returns the values without repetition, in the order given.
func distinct(values []string) []string {
	out := make([]string, 0, len(values))
	for _, v := range values {
		if !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}
