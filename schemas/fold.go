package schemas

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
	"golang.org/x/text/width"
)

// folding is how the strings of an attribute are made comparable.
type folding uint8

const (
	foldExact folding = iota // caseExact
	foldCase                 // without case
	foldLogin                // without case and diacritics: userName
)

func (f folding) apply(s string) string {
	switch f {
	case foldCase:
		return Fold(s)
	case foldLogin:
		return FoldLogin(s)
	default:
		return s
	}
}

// Fold folds a string that is compared without regard to case, as the index and the
// filter do: canonical caseless matching (Unicode, section 3.13, D145), composed.
func Fold(s string) string {
	if isASCII(s) {
		return strings.ToLower(s)
	}
	return norm.NFC.String(caseless(s))
}

// caseless is full case folding of the decomposed string.
func caseless(s string) string {
	return cases.Fold().String(strings.Map(upperCherokee, norm.NFD.String(s)))
}

// upperCherokee works around x/text, which folds the two cases of Cherokee into each
// other instead of into one.
func upperCherokee(r rune) rune {
	switch {
	case r >= 0xAB70 && r <= 0xABBF:
		return r - 0xAB70 + 0x13A0
	case r >= 0x13F8 && r <= 0x13FD:
		return r - 8
	}
	return r
}

// FoldLogin folds a userName: two logins that differ only in case, diacritics or the
// width of their characters are the same login. That is more than UsernameCaseMapped asks
// for (RFC 7644, section 5; RFC 8265, section 3.3).
func FoldLogin(s string) string {
	if isASCII(s) {
		return strings.ToLower(s)
	}
	return norm.NFC.String(strings.Map(dropDiacritic, norm.NFD.String(caseless(width.Fold.String(s)))))
}

// dropDiacritic leaves out the combining marks of Latin, Greek and Cyrillic. Marks of
// other scripts are vowels and voicing, which make another word.
func dropDiacritic(r rune) rune {
	switch {
	case r >= 0x0300 && r <= 0x036F, // Combining Diacritical Marks
		r >= 0x1AB0 && r <= 0x1AFF, // ... Extended
		r >= 0x1DC0 && r <= 0x1DFF, // ... Supplement
		r >= 0x20D0 && r <= 0x20FF, // ... for Symbols
		r >= 0xFE20 && r <= 0xFE2F: // Combining Half Marks
		return -1
	}
	return r
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
