// Package id makes the identifiers of every object: a type prefix and a
// time-ordered random part, 20 characters in all, never reused.
package id

import (
	"crypto/rand"
	"strings"
	"time"
)

// Prefixes of the objects, as a client of the management API knows them.
const (
	User         = "00u"
	Group        = "00g"
	Resource     = "00r" // of a type beside User and Group
	App          = "0oa"
	Mapping      = "prm"
	UserSchema   = "osc"
	AuthServer   = "aus"
	Scope        = "scp"
	Claim        = "ocl"
	AccessPolicy = "00p"
	Rule         = "0pr"
	InlineHook   = "cal"
	EventHook    = "who"
	Organisation = "00o"
	Session      = "102"
	ImportJob    = "ij1"
	Task         = "tsk"
	Error        = "oae"
	Request      = "req"
	Event        = "evt"
	RefreshToken = "oar"
	Grant        = "oag"
	APIToken     = "00T"
	EventStream  = "evs"
)

const (
	alphabet   = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	timeDigits = 8 // milliseconds in base 62: enough for 6,900 years
	randDigits = 9 // 53 bits, for each millisecond
)

// New returns a new identifier. Identifiers made later sort later, to the millisecond.
func New(prefix string) string { return NewAt(prefix, time.Now()) }

// NewAt is New for a caller that decides by its own clock.
func NewAt(prefix string, now time.Time) string {
	for ms := uint64(now.UnixMilli()); ; ms++ {
		if id := newAt(prefix, ms); !strings.Contains(id, reserved) {
			return id
		}
	}
}

// reserved is a word that no identifier of a resource may hold (RFC 7643, section 3.1).
// There are moments that spell it, so another try takes the next one.
const reserved = "bulkId"

func newAt(prefix string, ms uint64) string {
	var room [32]byte // prefixes have three characters
	b := append(room[:0], prefix...)
	n := len(b)
	b = b[:n+timeDigits+randDigits]
	for i := n + timeDigits - 1; i >= n; i-- {
		b[i] = alphabet[ms%uint64(len(alphabet))]
		ms /= uint64(len(alphabet))
	}
	fillRandom(b[n+timeDigits:])
	return string(b)
}

// Is reports whether s could be an identifier with the prefix.
func Is(prefix, s string) bool {
	if len(s) != len(prefix)+timeDigits+randDigits || s[:len(prefix)] != prefix {
		return false
	}
	for i := len(prefix); i < len(s); i++ {
		if strings.IndexByte(alphabet, s[i]) < 0 {
			return false
		}
	}
	return true
}

// Secret returns n random characters of the alphabet, 5.95 bits each.
func Secret(n int) string {
	b := make([]byte, n)
	fillRandom(b)
	return string(b)
}

// fillRandom draws unbiased digits: bytes of 248 and more are thrown away.
func fillRandom(b []byte) {
	var buf [64]byte
	for i := 0; i < len(b); {
		_, _ = rand.Read(buf[:]) // never fails (crypto/rand)
		for _, r := range buf {
			if r < 248 && i < len(b) {
				b[i] = alphabet[r%62]
				i++
			}
		}
	}
}
