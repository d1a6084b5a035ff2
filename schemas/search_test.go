package schemas

import (
	"errors"
	"strings"
	"testing"
)

// TestSearch: the names of the management API, as the executor sees them.
func TestSearch(t *testing.T) {
	t.Parallel()
	const primary, work = `emails[emails.primary eq "true"]`, `emails[emails.type eq "work"]`
	for _, c := range []struct{ typ, src, want string }{
		{"User", `id eq "00u1"`, `$id eq "00u1"`},
		{"User", `lastUpdated gt "2020-01-01T00:00:00.000Z"`, `$modified gt "2020-01-01T00:00:00.000000000Z"`},
		{"User", `status eq "ACTIVE" or not (status eq "STAGED")`, `or($status eq "ACTIVE", not($status eq "STAGED"))`},
		{"User", `activated pr and statusChanged lt "2020-01-01T00:00:00Z"`, `and($activated pr, $statusChanged lt "2020-01-01T00:00:00.000000000Z")`},
		{"User", `type.id eq "default"`, `$userType eq "default"`},
		{"User", `profile.login eq "Ána"`, `$userName eq "ana"`},
		{"User", `profile.department sw "T"`, `enterprise:department sw "t"`},
		{"User", `profile.level ge 3`, `org:level ge "8000000000000003"`},
		{"User", `profile.tags eq "Red"`, `org:tags eq "red"`},
		{"User", `profile.secondEmail eq "X"`, `emails[and(emails.type eq "other", emails.value eq "x")]`},
		{"User", `profile.email eq "X"`, `or(emails[and(emails.primary eq "true", emails.value eq "x")], and(not(` + primary + `), emails[and(emails.type eq "work", emails.value eq "x")]), ` +
			`and(not(` + primary + `), not(` + work + `), emails[and(not(emails.type eq "other"), emails.value eq "x")]))`},
		{"User", `profile.secondEmail eq null`, `not(emails[and(emails.type eq "other", emails.value pr)])`},
		{"User", `profile.postalAddress co "x" and profile.city pr`, ``},
		{"Group", `type eq "BUILT_IN" and lastMembershipUpdated gt "2020-01-01T00:00:00Z"`, `and($status eq "BUILT_IN", $membersChanged gt "2020-01-01T00:00:00.000000000Z")`},
		{"Group", `profile.name sw "A" or profile.description pr`, `or($displayName sw "a", org:description pr)`},
	} {
		f, err := typ(c.typ).ParseSearch(c.src)
		if err != nil {
			t.Errorf("%s: %v", c.src, err)
			continue
		}
		if got := shape(f.Root); got != c.want && c.want != "" {
			t.Errorf("%s\n got %s\nwant %s", c.src, got, c.want)
		}
	}
	for src, mentions := range map[string]string{
		`userName eq "x"`: "userName", `PROFILE.login pr`: "PROFILE.login", `profile.Login pr`: "profile.Login", `profile.email[type eq "work"]`: "profile.email",
		`status ne "ACTIVE"`: "ne is no operator", `profile.login eq 5`: "profile.login", `profile.email gt true`: "profile.email", `activated eq "soon"`: "activated",
		`profile.secret eq "x"`: "profile.secret", `type eq "BUILT_IN"`: "type", `profile.`: "profile.", `profile.login`: "profile.login",
	} {
		_, err := typ("User").ParseSearch(src)
		wantError(t, err, InvalidFilter, mentions)
	}
}

// TestSearchPath: what a list can be sorted by.
func TestSearchPath(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"created": "meta.created", "profile.lastName": "name.familyName", "profile.email": "emails.value", "profile.level": orgURN + ":level", "status": "", "profile.x": "", "userName": ""} {
		if got, ok := typ("User").SearchPath(name); got != want || ok != (want != "") {
			t.Errorf("%s: %q, %v", name, got, ok)
		}
	}
}

// FuzzSearch: a search is read or refused, and what is read has one spelling.
func FuzzSearch(f *testing.F) {
	for _, seed := range []string{
		`status eq "ACTIVE" and (profile.login sw "a" or not (profile.email pr))`, `profile.firstName eq "a\"b)"`, `status eq "X"`, `profile.city eq "x" and status eq "ACTIVE"`,
		`((`, `"`, `not status eq "A"`, `status pr`, `status eq "A" or id pr`, `profile.email eq null`, `profile.level gt 5 or type.id sw "d"`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, src string) {
		flt, err := typ("User").ParseSearch(src)
		if err != nil {
			if e, ok := errors.AsType[*Error](err); !ok || e.ScimType != InvalidFilter {
				t.Fatalf("%q: %v", src, err)
			}
			return
		}
		again, err := typ("User").ParseSearch("(" + src + ")")
		if err != nil && !strings.Contains(err.Error(), "deeper") && !strings.Contains(err.Error(), "longer") {
			t.Fatalf("%q in parentheses: %v", src, err)
		}
		if err == nil && again.String() != flt.String() {
			t.Fatalf("%q: %s, in parentheses %s", src, flt, again)
		}
	})
}
