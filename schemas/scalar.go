package schemas

import (
	"encoding/base64"
	"slices"
	"strings"
	"unicode/utf8"
)

// scalar reads the value of a simple attribute as its canonical text; c is the next
// byte.
func (p *parser) scalar(a *attr, c byte) (string, error) {
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
	return a.number(s)
}

// number returns the canonical text of a JSON number.
func (a *attr) number(s string) (string, error) {
	canonical, ok := canonicalInteger(s)
	if a.Type == Decimal {
		canonical, ok = canonicalDecimal(s)
	}
	if !ok {
		return "", errorf(InvalidValue, a.path, "want %s, got %s", a.Type, clip(s))
	}
	return canonical, nil
}

// check validates the text of a string, reference, dateTime or binary attribute.
func (a *attr) check(s string) error {
	switch a.Type {
	case DateTime:
		if t, err := parseDateTime(s); err != nil || t.Year() < 0 || t.Year() > 9998 {
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
	if !a.Unindexed && len(s) > MaxIndexed/10 && len(a.fold.apply(s)) > MaxIndexed {
		return errorf(InvalidValue, a.path, "want at most %d bytes, got %d", MaxIndexed, len(s))
	}
	if len(a.Enum) > 0 && s != "" && !slices.Contains(a.Enum, s) {
		return errorf(InvalidValue, a.path, "want one of %s, got %q", strings.Join(a.Enum, ", "), clip(s))
	}
	if a.Format != "" && s != "" {
		if err := CheckFormat(a.Format, s); err != nil {
			return errorf(InvalidValue, a.path, "%v", err)
		}
	}
	return nil
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
