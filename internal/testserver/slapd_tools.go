package testserver

import (
	"context"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// Search runs ldapsearch as administrator below base and returns its LDIF, unfolded and without comments.
func (s *LDAP) Search(t testing.TB, base, filter string, attributes ...string) string {
	t.Helper()
	args := append([]string{"-LLL", "-o", "ldif-wrap=no", "-b", base, filter}, attributes...)
	out, err := s.run(t, "ldapsearch", AdminDN, AdminPassword, "", args...)
	if err != nil {
		t.Fatalf("ldapsearch %s: %v: %s", filter, err, out)
	}
	return out
}

// Modify runs ldapmodify as administrator with change records in LDIF (RFC 2849).
func (s *LDAP) Modify(t testing.TB, ldif string) {
	t.Helper()
	if out, err := s.run(t, "ldapmodify", AdminDN, AdminPassword, ldif); err != nil {
		t.Fatalf("ldapmodify: %v: %s", err, out)
	}
}

// Binds says whether an account can sign in at the server, by ldapwhoami.
func (s *LDAP) Binds(t testing.TB, dn, password string) bool {
	t.Helper()
	out, err := s.run(t, "ldapwhoami", dn, password, "")
	if err != nil && !strings.Contains(out, "Invalid credentials") {
		t.Fatalf("ldapwhoami as %s: %v: %s", dn, err, out)
	}
	return err == nil
}

func (s *LDAP) run(t testing.TB, program, dn, password, stdin string, args ...string) (string, error) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		t.Fatalf("%s is not installed: run make deps", program)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, append([]string{"-x", "-H", s.URL, "-D", dn, "-w", password}, args...)...)
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	return string(out), err
}
