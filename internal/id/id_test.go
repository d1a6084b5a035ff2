package id_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/provost-id/provost/internal/id"
)

var form = regexp.MustCompile(`^00u[0-9A-Za-z]{17}$`)

func TestNew(t *testing.T) {
	seen := map[string]bool{}
	for range 10_000 {
		got := id.New(id.User)
		if !form.MatchString(got) || seen[got] {
			t.Fatalf("%q has not the form of an identifier, or came twice", got)
		}
		seen[got] = true
	}
}

func TestIdentifiersSortByTime(t *testing.T) {
	at := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	last := ""
	for _, step := range []time.Duration{0, time.Millisecond, time.Second, time.Hour, 24 * time.Hour, 50 * 365 * 24 * time.Hour} {
		got := id.NewAt(id.User, at.Add(step))
		if got <= last || len(got) != 20 {
			t.Errorf("%q made %v later does not sort after %q", got, step, last)
		}
		last = got
	}
}

// TestRFC7643_3_1_NoBulkID: the word bulkId is in no identifier, not even in the
// millisecond that spells it.
func TestRFC7643_3_1_NoBulkID(t *testing.T) {
	const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	var ms int64
	for _, c := range "0VbulkId" {
		ms = ms*62 + int64(strings.IndexRune(alphabet, c))
	}
	at := time.UnixMilli(ms)
	if before := id.NewAt(id.User, at.Add(-time.Millisecond)); !strings.HasPrefix(before, "00u0VbulkIc") {
		t.Fatalf("%s is not of the millisecond before", before)
	}
	for range 100 {
		if got := id.NewAt(id.User, at); strings.Contains(got, "bulkId") {
			t.Fatalf("%s holds the word", got)
		}
	}
}

// Every character is as likely as the next: a secret has the bits it claims.
func TestSecretIsUniform(t *testing.T) {
	const n = 62 * 2000
	counts := map[rune]int{}
	for _, r := range id.Secret(n) {
		counts[r]++
	}
	if len(counts) != 62 {
		t.Fatalf("%d different characters, want 62", len(counts))
	}
	for r, c := range counts {
		if c < 1600 || c > 2400 { // nine standard deviations
			t.Errorf("%c came %d times of %d", r, c, n)
		}
	}
}
