package passwords

import (
	"fmt"
	"slices"
	"time"

	"github.com/provost-id/provost/schemas"
)

// Policy holds the settings of the one password policy, named and shaped as
// settings.password of the contract (section 10.3).
type Policy struct {
	Complexity Complexity `json:"complexity"`
	Age        Age        `json:"age"`
	Lockout    Lockout    `json:"lockout"`
}

// Complexity is what a password must be like. The numbers are characters.
type Complexity struct {
	MinLength    int `json:"minLength"`
	MinLowerCase int `json:"minLowerCase"`
	MinUpperCase int `json:"minUpperCase"`
	MinNumber    int `json:"minNumber"`
	MinSymbol    int `json:"minSymbol"`
	// ExcludeUsername refuses a password that holds a part of the login.
	ExcludeUsername bool `json:"excludeUsername"`
	// ExcludeAttributes are the names, firstName and lastName, that it must not hold.
	ExcludeAttributes []string   `json:"excludeAttributes"`
	Dictionary        Dictionary `json:"dictionary"`
}

// Dictionary refuses passwords that many people have.
type Dictionary struct {
	Common struct {
		Exclude bool `json:"exclude"`
	} `json:"common"`
}

// Age is how long a password lives and which may come back. Zero turns each off.
type Age struct {
	MaxAgeDays     int `json:"maxAgeDays"`     // expires then, seen at sign-in
	ExpireWarnDays int `json:"expireWarnDays"` // before that, User.PasswordExpires tells
	MinAgeMinutes  int `json:"minAgeMinutes"`  // until the person may change it again
	HistoryCount   int `json:"historyCount"`   // last passwords that must not be used again
}

// Lockout is when bad passwords lock an account.
type Lockout struct {
	MaxAttempts       int `json:"maxAttempts"`       // in a row; 0 never locks
	AutoUnlockMinutes int `json:"autoUnlockMinutes"` // 0: only an administrator unlocks
	// ShowLockoutFailures stays false: a lock that is told apart from a wrong password
	// tells that the account exists.
	ShowLockoutFailures bool `json:"showLockoutFailures"`
}

// Length of a password in characters. The upper bound is the contract's (section 2.5),
// the lower one is the default of the policy.
const (
	MinLength = 8
	MaxLength = 72
)

// Unless the policy says otherwise, an account is locked after MaxTries bad passwords in
// a row. The lock ends by itself after LockTime, so that it cannot be used to keep
// somebody out for good.
const (
	MaxTries = 10
	LockTime = 15 * time.Minute
)

// Default is the policy of an organisation that has not set one. It asks
// for length and against common passwords, not for kinds of characters, as NIST SP
// 800-63B, section 5.1.1.2, advises.
func Default() Policy {
	p := Policy{
		Complexity: Complexity{
			MinLength: MinLength, ExcludeUsername: true, ExcludeAttributes: []string{"firstName", "lastName"},
		},
		Lockout: Lockout{MaxAttempts: MaxTries, AutoUnlockMinutes: int(LockTime / time.Minute)},
	}
	p.Complexity.Dictionary.Common.Exclude = true
	return p
}

// Bounds of the settings.
const (
	leastMinLength = 4
	maxHistory     = 30           // each takes a comparison
	maxDays        = 999          // the contract's
	maxMinutes     = 60 * 24 * 30 // a month
	maxAttempts    = 100
	maxCharacters  = 16 // of one kind; the kinds together fit into MaxLength
)

// Check returns the first setting that is not valid as a *schemas.Error.
func (p Policy) Check() error {
	c, a, l := p.Complexity, p.Age, p.Lockout
	for _, n := range []struct {
		name               string
		value, least, most int
	}{
		{"complexity.minLength", c.MinLength, leastMinLength, MaxLength},
		{"complexity.minLowerCase", c.MinLowerCase, 0, maxCharacters},
		{"complexity.minUpperCase", c.MinUpperCase, 0, maxCharacters},
		{"complexity.minNumber", c.MinNumber, 0, maxCharacters},
		{"complexity.minSymbol", c.MinSymbol, 0, maxCharacters},
		{"age.maxAgeDays", a.MaxAgeDays, 0, maxDays},
		{"age.expireWarnDays", a.ExpireWarnDays, 0, maxDays},
		{"age.minAgeMinutes", a.MinAgeMinutes, 0, maxMinutes},
		{"age.historyCount", a.HistoryCount, 0, maxHistory},
		{"lockout.maxAttempts", l.MaxAttempts, 0, maxAttempts},
		{"lockout.autoUnlockMinutes", l.AutoUnlockMinutes, 0, maxMinutes},
	} {
		if n.value < n.least || n.value > n.most {
			return settingError(n.name, "must be %d to %d", n.least, n.most)
		}
	}
	return p.checkTogether()
}

func (p Policy) checkTogether() error {
	for i, name := range p.Complexity.ExcludeAttributes {
		if name != "firstName" && name != "lastName" || slices.Contains(p.Complexity.ExcludeAttributes[:i], name) {
			return settingError("complexity.excludeAttributes", "may hold firstName and lastName, each once")
		}
	}
	switch day := 24 * 60; {
	case p.Age.MaxAgeDays > 0 && p.Age.ExpireWarnDays > p.Age.MaxAgeDays:
		return settingError("age.expireWarnDays", "must not be more than maxAgeDays")
	case p.Age.MaxAgeDays > 0 && p.Age.MinAgeMinutes >= p.Age.MaxAgeDays*day:
		return settingError("age.minAgeMinutes", "must be less than maxAgeDays")
	case p.Lockout.ShowLockoutFailures:
		return settingError("lockout.showLockoutFailures", "must be false: it would tell which accounts exist")
	}
	return nil
}

func settingError(setting, format string, args ...any) error {
	return &schemas.Error{ScimType: schemas.InvalidValue, Path: "settings.password." + setting, Reason: fmt.Sprintf(format, args...)}
}

// Expires is when a password that was set at changed expires, zero for never.
func (p Policy) Expires(changed time.Time) time.Time {
	if p.Age.MaxAgeDays == 0 || changed.IsZero() {
		return time.Time{}
	}
	return changed.AddDate(0, 0, p.Age.MaxAgeDays)
}

// Warned is Expires when it is near enough to be told, else zero.
func (p Policy) Warned(changed, now time.Time) time.Time {
	at := p.Expires(changed)
	if at.IsZero() || p.Age.ExpireWarnDays == 0 || now.AddDate(0, 0, p.Age.ExpireWarnDays).Before(at) {
		return time.Time{}
	}
	return at
}

// LockTime is how long tries are remembered: as long as the lock that they lead to.
// A lock that does not end by itself is the status, which outlives them.
func (p Policy) LockTime() time.Duration {
	if p.Lockout.AutoUnlockMinutes == 0 {
		return LockTime
	}
	return time.Duration(p.Lockout.AutoUnlockMinutes) * time.Minute
}
