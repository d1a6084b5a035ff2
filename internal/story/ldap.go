package story

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"os/exec"
	"strings"
)

// entry is one LDAP entry as ldapsearch printed it: attribute names in lower case.
type entry map[string][]string

func (e entry) first(attr string) string {
	if v := e[attr]; len(v) > 0 {
		return v[0]
	}
	return ""
}

// search runs ldapsearch, a program that nobody here wrote, and returns the only entry.
func (l LDAP) search(ctx context.Context, filter string) (entry, error) {
	cmd := exec.CommandContext(ctx, "ldapsearch", "-x", "-LLL", "-o", "ldif-wrap=no", "-H", l.URL,
		"-D", l.BindDN, "-w", l.Password, "-b", l.UserBase, filter, "*", "+")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("ldapsearch: %w: %s", err, stderr.String())
	}
	entries := parseLDIF(string(out))
	if len(entries) != 1 {
		return nil, fmt.Errorf("ldapsearch %s finds %d entries, want 1", filter, len(entries))
	}
	return entries[0], nil
}

func parseLDIF(s string) []entry {
	var all []entry
	for block := range strings.SplitSeq(strings.TrimSpace(s), "\n\n") {
		e := entry{}
		for line := range strings.SplitSeq(block, "\n") {
			name, value, ok := strings.Cut(line, ":")
			if !ok {
				continue
			}
			if b64, ok := strings.CutPrefix(value, ":"); ok {
				b, _ := base64.StdEncoding.DecodeString(strings.TrimSpace(b64)) // ldapsearch made it
				value = string(b)
			}
			name = strings.ToLower(name)
			e[name] = append(e[name], strings.TrimSpace(value))
		}
		if len(e) > 0 {
			all = append(all, e)
		}
	}
	return all
}

// bind reports whether dn may bind with the password.
func (l LDAP) bind(ctx context.Context, dn, password string) bool {
	return exec.CommandContext(ctx, "ldapwhoami", "-x", "-H", l.URL, "-D", dn, "-w", password).Run() == nil
}

// setPassword sets a password as the administrator of the LDAP server.
func (l LDAP) setPassword(ctx context.Context, dn, password string) error {
	out, err := exec.CommandContext(ctx, "ldappasswd", "-x", "-H", l.URL, "-D", l.BindDN, "-w", l.Password, "-s", password, dn).CombinedOutput()
	if err != nil {
		return fmt.Errorf("ldappasswd: %w: %s", err, out)
	}
	return nil
}
