package schemas

import (
	"encoding/base64"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// scalar reads the value of a simple attribute as its canonical text; c is the next
// byte.
func (p *parser) scalar(a *attr, c byte) (string, error) {
	if p.trusted && a.secret {
		return p.str() // in the form in which it is kept
	}
	switch a.Type {
	case Boolean:
		return p.boolean(a, c)
	case Integer, Decimal:
		return p.numeric(a, c)
	}
	if c != '"' {
		return "", p.mismatch(a, string(a.Type))
	}
	s, err := p.str()
	if err != nil || p.trusted {
		return s, err
	}
	return s, a.check(s)
}

func (p *parser) boolean(a *attr, c byte) (string, error) {
	switch c {
	case 't':
		return "true", p.literal("true")
	case 'f':
		return "false", p.literal("false")
	case '"':
		if !p.d.StringBooleans {
			break
		}
		s, err := p.str()
		if err != nil {
			return "", err
		}
		if b, ok := stringBoolean(s); ok {
			return b, nil
		}
		return "", errorf(InvalidValue, a.path, "want boolean, got the string %q", clip(s))
	}
	return "", p.mismatch(a, "boolean")
}

func stringBoolean(s string) (string, bool) {
	for _, b := range []string{"true", "false"} {
		if strings.EqualFold(s, b) {
			return b, true
		}
	}
	return "", false
}

func (p *parser) numeric(a *attr, c byte) (string, error) {
	if c != '-' && (c < '0' || c > '9') {
		return "", p.mismatch(a, string(a.Type))
	}
	s, err := p.number()
	if err != nil || p.trusted {
		return s, err
	}
	if s, err = a.number(s); err != nil {
		return "", err
	}
	return s, a.check(s)
}

// number returns the canonical text of a JSON number.
func (a *attr) number(s string) (string, error) {
	canonical, ok := CanonicalNumber(a.Type, s)
	if !ok {
		return "", errorf(InvalidValue, a.path, "want %s, got %s", a.Type, clip(s))
	}
	return canonical, nil
}

// check validates the canonical text of a value.
func (a *attr) check(s string) error {
	switch a.Type {
	case Boolean:
		return nil
	case Integer, Decimal:
		return a.checkNumber(s)
	case DateTime:
		if t, err := parseDateTime(s); err != nil || t.UTC().Year() < 0 || t.UTC().Year() > 9999 || isForgiven(s) {
			return errorf(InvalidValue, a.path, "want dateTime as 2006-01-02T15:04:05Z, got %q", clip(s))
		}
		return nil
	case Binary:
		if !isBase64(s) {
			return errorf(InvalidValue, a.path, "want binary in base64")
		}
		return nil
	default:
		return a.checkString(s)
	}
}

// isForgiven says that a dateTime is one to package time only: XML Schema wants two digits
// of the hour and a point before a fraction.
func isForgiven(dateTime string) bool { return dateTime[13] != ':' || strings.Contains(dateTime, ",") }

func (a *attr) checkString(s string) error {
	if a.Required && strings.TrimSpace(s) == "" {
		return errorf(InvalidValue, a.path, "it is required and empty")
	}
	if a.MinLength > 0 || a.MaxLength > 0 && len(s) > a.MaxLength {
		n := utf8.RuneCountInString(s)
		if n < a.MinLength && n > 0 {
			return errorf(InvalidValue, a.path, "want at least %d characters, got %d", a.MinLength, n)
		}
		if a.MaxLength > 0 && n > a.MaxLength {
			return errorf(InvalidValue, a.path, "want at most %d characters, got %d", a.MaxLength, n)
		}
	}
	// No folding makes a string ten times as long, so short ones need no measuring.
	if a.indexes && len(s) > MaxIndexed/10 && len(a.fold.apply(s)) > MaxIndexed {
		return errorf(InvalidValue, a.path, "want at most %d bytes, got %d", MaxIndexed, len(s))
	}
	if s != "" && a.pattern != nil && !a.pattern.MatchString(s) {
		return errorf(InvalidValue, a.path, "want a match of %s, got %s", a.Pattern, a.quote(s))
	}
	if s != "" {
		if err := a.checkEnum(s); err != nil {
			return err
		}
	}
	if a.Format != "" && s != "" {
		if err := CheckFormat(a.Format, s); err != nil {
			return errorf(InvalidValue, a.path, "%v", err)
		}
	}
	return nil
}

func (a *attr) checkNumber(s string) error {
	f, _ := strconv.ParseFloat(s, 64) // canonical text always parses
	switch {
	case a.Int32 && (f < math.MinInt32 || f > math.MaxInt32):
		return errorf(InvalidValue, a.path, "want an integer of 32 bits, got %s", a.quote(s))
	case a.Minimum != nil && f < *a.Minimum:
		return errorf(InvalidValue, a.path, "want at least %v, got %s", *a.Minimum, a.quote(s))
	case a.Maximum != nil && f > *a.Maximum:
		return errorf(InvalidValue, a.path, "want at most %v, got %s", *a.Maximum, a.quote(s))
	}
	return a.checkEnum(s)
}

func (a *attr) checkEnum(s string) error {
	if len(a.Enum) == 0 || slices.Contains(a.Enum, s) {
		return nil
	}
	return errorf(InvalidValue, a.path, "want one of %s, got %s", strings.Join(a.Enum, ", "), a.quote(s))
}

// quote shows a value in a message, unless nobody may see it.
func (a *attr) quote(s string) string {
	if a.secret {
		return "another"
	}
	return strconv.Quote(clip(s))
}

func isBase64(s string) bool {
	s = strings.TrimRight(s, "=")
	if strings.ContainsAny(s, "-_") {
		_, err := base64.RawURLEncoding.DecodeString(s)
		return err == nil
	}
	_, err := base64.RawStdEncoding.DecodeString(s)
	return err == nil
}

// clip shortens a client's value for a message.
func clip(s string) string {
	if len(s) <= 40 {
		return s
	}
	cut := 40
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return strings.ToValidUTF8(s[:cut], "?") + "..."
}
