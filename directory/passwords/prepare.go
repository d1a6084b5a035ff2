package passwords

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// prepare makes passwords comparable however a keyboard writes them: every space
// is a plain one, and characters are composed (RFC 7644, section 5; the profile
// OpaqueString of RFC 8265, section 4.2).
func prepare(s string) string {
	if !utf8.ValidString(s) {
		return s
	}
	return norm.NFC.String(strings.Map(plainSpace, s))
}

func plainSpace(r rune) rune {
	if unicode.Is(unicode.Zs, r) {
		return ' '
	}
	return r
}
