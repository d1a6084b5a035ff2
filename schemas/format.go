package schemas

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"
	_ "time/tzdata" // the zones of the format timezone, on machines without them
	"unicode"

	"golang.org/x/text/language"
)

// formats are those of the management API's user schema that a string can be checked
// for. The others (encrypted, hashed) say how a value is kept.
var formats = map[string]struct {
	want  string
	check func(string) bool
}{
	"email":         {"an e-mail address", isEmail},
	"uri":           {"an absolute URI", isURI},
	"date-time":     {"a dateTime", func(s string) bool { _, err := parseDateTime(s); return err == nil }},
	"country-code":  {"an ISO 3166-1 alpha-2 country code", isCountry},
	"language-code": {"a language as in RFC 7231, section 5.3.5", isLanguage},
	"locale":        {"a locale as en_US", isLocale},
	"timezone":      {"an IANA time zone", isTimezone},
	"ref-id":        {"the ID of an object: up to 64 letters, digits, - and _", refForm.MatchString},
}

// The formats of what is never shown: encrypted is kept sealed, hashed as a keyed hash.
const (
	FormatEncrypted = "encrypted"
	FormatHashed    = "hashed"
)

// IsFormat says whether a format is one of the management API's.
func IsFormat(format string) bool {
	_, ok := formats[format]
	return ok || format == FormatEncrypted || format == FormatHashed
}

var refForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// CheckFormat says whether s has the format. An unknown format has every string.
func CheckFormat(format, s string) error {
	f, ok := formats[format]
	if !ok || f.check(s) {
		return nil
	}
	return fmt.Errorf("want %s, got %q", f.want, clip(s))
}

// isEmail accepts the mailboxes of RFC 6531, section 3.3, without quoted local parts.
func isEmail(s string) bool {
	at := strings.LastIndexByte(s, '@')
	if at < 1 || at == len(s)-1 {
		return false
	}
	bad := func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || strings.ContainsRune(`@<>(),;:\"[]`, r)
	}
	return !strings.ContainsFunc(s[:at], bad) && isDomain(s[at+1:])
}

func isDomain(s string) bool {
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for _, r := range label {
			if r != '-' && !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) {
				return false
			}
		}
	}
	return true
}

func isURI(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.IsAbs()
}

func isCountry(s string) bool {
	r, err := language.ParseRegion(s)
	return err == nil && len(s) == 2 && r.IsCountry()
}

func isLanguage(s string) bool {
	tags, _, err := language.ParseAcceptLanguage(s)
	return err == nil && len(tags) > 0
}

var localeForm = regexp.MustCompile(`^[a-z]{2}_[A-Z]{2}$`)

func isLocale(s string) bool {
	if !localeForm.MatchString(s) {
		return false
	}
	_, err := language.ParseBase(s[:2])
	return err == nil && isCountry(s[3:])
}

var zoneForm = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*$`)

func isTimezone(s string) bool {
	if !zoneForm.MatchString(s) || s == "Local" {
		return false
	}
	_, err := time.LoadLocation(s)
	return err == nil
}
