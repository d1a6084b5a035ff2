package ldap

import (
	"testing"

	goldap "github.com/go-ldap/ldap/v3"
)

func TestNormalDN(t *testing.T) {
	for in, want := range map[string]string{
		"UID=Ada,OU=People,dc=example":           "uid=ada,ou=people,dc=example",
		"uid=ada, ou=people , dc=example":        "uid=ada,ou=people,dc=example",
		`cn=M\C3\BCller\2C J\C3\B6rg,dc=example`: `cn=müller\, jörg,dc=example`,
		`cn=Müller\, Jörg,dc=example`:            `cn=müller\, jörg,dc=example`,
		"cn=b+uid=a,dc=example":                  "cn=b+uid=a,dc=example",
		"uid=a+cn=b,dc=example":                  "cn=b+uid=a,dc=example",
		"cn=two  spaces,dc=example":              "cn=two spaces,dc=example",
		"not a dn":                               "not a dn",
	} {
		if got := normalDN(in); got != want {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
	}
}

// FuzzNormalDN: a normal DN is normal, and still the same DN.
func FuzzNormalDN(f *testing.F) {
	for _, s := range []string{"uid=ada,ou=people,dc=example", `cn=a\,b\2B\ ,dc=x`, `cn=\#1\0a\C3\A9+ou=İ,dc=x`, `cn= \ a ,dc=x`, "cn=#0403666f6f"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if _, err := parseDN(s); err != nil {
			return
		}
		once := normalDN(s)
		if _, err := parseDN(once); err != nil {
			t.Fatalf("%q became %q: %v", s, once, err)
		}
		if twice := normalDN(once); twice != once {
			t.Errorf("%q, then %q", once, twice)
		}
	})
}

// FuzzEquals: whatever a value is, the filter asks for that value and nothing else.
func FuzzEquals(f *testing.F) {
	for _, s := range []string{"ada", "*", "*)(uid=*", `\2a`, "\x00", ")(|", "é山", "\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, value string) {
		p, err := goldap.CompileFilter(equals("uid", value))
		if err != nil {
			t.Fatal(err)
		}
		if p.Tag != goldap.FilterEqualityMatch || len(p.Children) != 2 || p.Children[0].Data.String() != "uid" || p.Children[1].Data.String() != value {
			t.Errorf("%q became another filter", value)
		}
	})
}
