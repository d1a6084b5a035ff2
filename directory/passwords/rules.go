package passwords

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/provost-id/provost/schemas"
)

// ErrRefused is wrapped by an Error: a password outside the policy.
var ErrRefused = errors.New("password does not meet the requirements")

// Error says what a password lacks.
type Error struct {
	// Rule is the setting of the policy, "minLength"; empty for what no policy allows.
	Rule   string
	Reason string
}

// Error names the requirement and its rule.
func (e *Error) Error() string {
	if e.Rule == "" {
		return "password: " + e.Reason
	}
	return "password: " + e.Reason + " (" + e.Rule + ")"
}

// Unwrap makes the error an ErrRefused.
func (e *Error) Unwrap() error { return ErrRefused }

func refuse(rule, format string, args ...any) error {
	return &Error{Rule: rule, Reason: fmt.Sprintf(format, args...)}
}

// Check returns what a password lacks as a *Error. profile is the user's, nil
// for nobody's.
func (p Complexity) Check(password string, profile map[string]any) error {
	if !utf8.ValidString(password) {
		return refuse("", "is not valid UTF-8")
	}
	switch n := utf8.RuneCountInString(password); {
	case n < p.MinLength:
		return refuse("minLength", "must have at least %d characters", p.MinLength)
	case n > MaxLength:
		return refuse("", "must have at most %d characters", MaxLength)
	}
	if err := p.checkKinds(password); err != nil {
		return err
	}
	if err := p.checkOwner(schemas.FoldLogin(password), profile); err != nil {
		return err
	}
	if p.Dictionary.Common.Exclude && isCommon(password) {
		return refuse("dictionary.common", "is one that many people use")
	}
	return nil
}

// checkKinds counts characters by kind. Whatever is no letter and no number is a symbol.
func (p Complexity) checkKinds(password string) error {
	var lower, upper, number, symbol int
	for _, r := range password {
		switch {
		case unicode.IsLower(r):
			lower++
		case unicode.IsUpper(r):
			upper++
		case unicode.IsNumber(r):
			number++
		case !unicode.IsLetter(r):
			symbol++
		}
	}
	for _, k := range []struct {
		rule, what  string
		have, least int
	}{
		{"minLowerCase", "lower-case letters", lower, p.MinLowerCase},
		{"minUpperCase", "upper-case letters", upper, p.MinUpperCase},
		{"minNumber", "numbers", number, p.MinNumber},
		{"minSymbol", "symbols", symbol, p.MinSymbol},
	} {
		if k.have < k.least {
			return refuse(k.rule, "must have at least %d %s", k.least, k.what)
		}
	}
	return nil
}

// shortestPart is the length, in characters, of a part of a login or a name that a
// password must not hold (the contract).
const shortestPart = 4

func (p Complexity) checkOwner(folded string, profile map[string]any) error {
	if p.ExcludeUsername {
		login, _ := profile["login"].(string)
		for _, part := range loginParts(login) {
			if strings.Contains(folded, part) {
				return refuse("excludeUsername", "must not hold a part of the user name")
			}
		}
	}
	for _, name := range p.ExcludeAttributes {
		value, _ := profile[name].(string)
		value = schemas.FoldLogin(value)
		if utf8.RuneCountInString(value) >= shortestPart && strings.Contains(folded, value) {
			return refuse("excludeAttributes", "must not hold the %s", name)
		}
	}
	return nil
}

// loginParts are the parts of a login that are long enough. Of a domain only the first
// label counts, not its parent.
func loginParts(login string) []string {
	local, domain, _ := strings.Cut(schemas.FoldLogin(login), "@")
	label, _, _ := strings.Cut(domain, ".")
	var parts []string
	for _, part := range strings.FieldsFunc(local+"@"+label, func(r rune) bool { return strings.ContainsRune(",._#@-", r) }) {
		if utf8.RuneCountInString(part) >= shortestPart {
			parts = append(parts, part)
		}
	}
	return parts
}
