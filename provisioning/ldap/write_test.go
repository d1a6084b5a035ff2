package ldap

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/provost-id/provost/internal/testserver"
	"github.com/provost-id/provost/provisioning"
)

const u1 = "uid=u1,ou=people,dc=example,dc=com"

func person(uid string) provisioning.Object {
	return provisioning.Object{
		Ref: provisioning.Ref{Type: provisioning.TypeUser}, Active: true,
		Attributes: map[string][]string{"uid": {uid}, "cn": {uid}, "sn": {uid}},
	}
}

func lookupUser(t *testing.T, c *Connector, uid string) provisioning.Object {
	t.Helper()
	o, err := c.Get(t.Context(), provisioning.Ref{Type: provisioning.TypeUser, Name: uid})
	if err != nil {
		t.Fatalf("get %s: %v", uid, err)
	}
	return o
}

// TestSmallestModify reads in the server's audit log what was asked of it.
func TestSmallestModify(t *testing.T) {
	log := filepath.Join(t.TempDir(), "audit.ldif")
	s := testserver.Slapd(t, testserver.SlapdOptions{
		LDIF: tree + persons(2), Global: "moduleload auditlog", Database: "overlay auditlog\nauditlog " + log,
	})
	s.Modify(t, "dn: "+u1+"\nchangetype: modify\nadd: mail\nmail: a@example.com\nmail: b@example.com\n-\nadd: title\ntitle: Old\n")
	c := open(t, config(s), Options{})
	o := lookupUser(t, c, "u1")
	typ, _ := schema.Type(provisioning.TypeUser)
	before, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	delta := typ.Diff(o.Attributes, map[string]any{"mail": "new@example.com", "title": "Neü", "displayName": "Shown", "cn": "U", "sn": "1"})
	if _, err := c.Update(t.Context(), o.Ref, delta, ""); err != nil {
		t.Fatal(err)
	}
	after, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"changetype: modify",
		"replace: displayName", "displayName: Shown", "-",
		"delete: mail", "mail: a@example.com", "mail: b@example.com", "-",
		"add: mail", "mail: new@example.com", "mail: b@example.com", "-", // the profile shows the first one: it has to be first
		"delete: title", "title: Old", "-",
		"add: title", "title:: TmXDvA==", "-",
	}
	if diff := cmp.Diff(want, requests(string(after[len(before):]))); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if got := lookupUser(t, c, "u1").Attributes["mail"]; fmt.Sprint(got) != "[new@example.com b@example.com]" {
		t.Errorf("mail: %v", got)
	}
}

// requests leaves out of an audit log what the server adds by itself.
func requests(log string) []string {
	var out []string
	own := false
	for line := range strings.Lines(log) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "replace: entryCSN"), strings.HasPrefix(line, "replace: modif"):
			own = true
		case line == "-" && own:
			own = false
		case !own && line != "" && !strings.HasPrefix(line, "#") && !strings.HasPrefix(line, "dn:"):
			out = append(out, line)
		}
	}
	return out
}

// TestUpdateMeetsDrift: a value that somebody else has changed is not overwritten unseen.
func TestUpdateMeetsDrift(t *testing.T) {
	s := testserver.Slapd(t, testserver.SlapdOptions{LDIF: tree + persons(2)})
	c := open(t, config(s), Options{})
	o := lookupUser(t, c, "u1")
	s.Modify(t, "dn: "+u1+"\nchangetype: modify\nreplace: sn\nsn: Theirs\n")
	_, err := c.Update(t.Context(), o.Ref, provisioning.Delta{Set: map[string]provisioning.Change{"sn": {From: []string{"1"}, To: []string{"Ours"}}}}, "")
	if !errors.Is(err, provisioning.ErrConflict) {
		t.Errorf("got %v, want ErrConflict", err)
	}
	if got := s.Search(t, u1, "(objectClass=*)", "sn"); !strings.Contains(got, "sn: Theirs") {
		t.Errorf("theirs is gone: %s", got)
	}
}

// TestUpdateOfTheDN renames an entry whose DN is made of the changed attribute; groups follow, and the object stays the same.
func TestUpdateOfTheDN(t *testing.T) {
	s := testserver.Slapd(t, testserver.SlapdOptions{LDIF: tree + persons(2) +
		"dn: cn=g,ou=groups,dc=example,dc=com\nobjectClass: groupOfNames\ncn: g\nmember: " + u1 + "\n"})
	c := open(t, config(s), Options{})
	o := lookupUser(t, c, "u1")
	delta := provisioning.Delta{Set: map[string]provisioning.Change{
		"uid": {From: []string{"u1"}, To: []string{"new, name"}}, "title": {To: []string{"T"}},
	}}
	for range 2 {
		if _, err := c.Update(t.Context(), o.Ref, delta, ""); err != nil {
			t.Fatal(err)
		}
	}
	got := lookupUser(t, c, "new, name")
	if got.ID != o.ID || got.Name != `uid=new\, name,ou=people,dc=example,dc=com` || fmt.Sprint(got.Attributes["uid"], got.Attributes["title"]) != "[new, name] [T]" {
		t.Errorf("got %+v", got)
	}
	g, err := c.Get(t.Context(), provisioning.Ref{Type: provisioning.TypeGroup, Name: "g"})
	if err != nil || len(g.Members) != 1 || g.Members[0].Name != got.Name {
		t.Errorf("the group has %+v, %v", g.Members, err)
	}
}

// TestADV69_DNTemplate: a template that forgets to escape cannot place anybody elsewhere.
func TestADV69_DNTemplate(t *testing.T) {
	s := testserver.Slapd(t, testserver.SlapdOptions{LDIF: tree + "dn: ou=admins,ou=people,dc=example,dc=com\nobjectClass: organizationalUnit\nou: admins\n"})
	naive := func(_ context.Context, p map[string]any) (string, error) {
		return fmt.Sprintf("uid=%s,ou=people,dc=example,dc=com", p["uid"]), nil
	}
	c := open(t, config(s), Options{DNTemplate: naive})
	for _, uid := range []string{"x,ou=admins", "x+cn=y", `x\2Cou=admins`, "x,dc=elsewhere", "#04024869", ""} {
		if ref, err := c.Create(t.Context(), person(uid), ""); !errors.Is(err, provisioning.ErrInvalid) {
			t.Errorf("uid %q: created %+v, %v", uid, ref, err)
		}
	}
	outside := person("x")
	outside.Name = "uid=x,ou=groups,dc=example,dc=com"
	if _, err := c.Create(t.Context(), outside, ""); !errors.Is(err, provisioning.ErrInvalid) {
		t.Errorf("outside the base: %v", err)
	}
	if ref, err := c.Create(t.Context(), person("plain"), ""); err != nil || ref.Name != "uid=plain,ou=people,dc=example,dc=com" {
		t.Errorf("plain: %+v, %v", ref, err)
	}
}

func TestCreateSaysWhichAttribute(t *testing.T) {
	c := open(t, config(testserver.Slapd(t, testserver.SlapdOptions{LDIF: tree})), Options{})
	o := person("x")
	delete(o.Attributes, "sn")
	_, err := c.Create(t.Context(), o, "")
	var e *provisioning.Error
	if !errors.As(err, &e) || e.Kind != provisioning.ErrInvalid || e.Attr != "sn" || e.Status != 65 || !strings.Contains(e.Body, "requires attribute 'sn'") {
		t.Errorf("got %v", err)
	}
}

// TestCreateWithoutAnAnswer: the outcome is open, and our own ID in an attribute finds what was made, exactly once.
func TestCreateWithoutAnAnswer(t *testing.T) {
	s := testserver.Slapd(t, testserver.SlapdOptions{LDIF: tree})
	proxy := testserver.NewProxy(t, fmt.Sprintf("127.0.0.1:%d", s.Port))
	cfg := config(s)
	cfg["url"], cfg["idAttribute"] = "ldap://"+proxy.Addr, "employeeNumber"
	c := open(t, cfg, Options{})
	if _, err := c.Describe(t.Context()); err != nil {
		t.Fatal(err) // the connection is open from here on
	}
	proxy.LoseReplies(true)
	_, err := c.Create(t.Context(), person("once"), "00u1")
	if !errors.Is(err, provisioning.ErrUnknown) {
		t.Fatalf("got %v, want ErrUnknown", err)
	}
	proxy.LoseReplies(false)
	o, err := c.Get(t.Context(), provisioning.Ref{Type: provisioning.TypeUser, ExternalID: "00u1"})
	if err != nil || o.ExternalID != "00u1" || o.Attributes["uid"][0] != "once" {
		t.Errorf("got %+v, %v", o, err)
	}
	if _, err := c.Create(t.Context(), person("once"), "00u1"); !errors.Is(err, provisioning.ErrConflict) {
		t.Errorf("again: %v, want ErrConflict", err)
	}
}

// TestDeactivatedDoesNotBind reads back with ldapsearch and ldapwhoami what became of an account.
func TestDeactivatedDoesNotBind(t *testing.T) {
	s := testserver.Slapd(t, testserver.SlapdOptions{LDIF: tree + persons(2)})
	c := open(t, config(s), Options{})
	o := lookupUser(t, c, "u1")
	set := func(active bool) {
		t.Helper()
		if _, err := c.Update(t.Context(), o.Ref, provisioning.Delta{Active: &active}, ""); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.SetPassword(t.Context(), o.Ref, "pässword"); err != nil || !s.Binds(t, u1, "pässword") {
		t.Fatalf("after SetPassword: %v", err)
	}
	if got := s.Search(t, u1, "(objectClass=*)", "userPassword"); strings.Contains(got, "pässword") || !strings.Contains(got, "userPassword:") {
		t.Errorf("the password is not hashed: %s", got)
	}
	set(false)
	if got := s.Search(t, u1, "(objectClass=*)", "pwdAccountLockedTime"); !strings.Contains(got, "pwdAccountLockedTime: 000001010000Z") {
		t.Errorf("ldapsearch says %s", got)
	}
	if s.Binds(t, u1, "pässword") {
		t.Error("a deactivated account binds")
	}
	if err := c.SetPassword(t.Context(), o.Ref, "another one"); err != nil || s.Binds(t, u1, "another one") {
		t.Errorf("a new password has let a deactivated account in, or failed: %v", err)
	}
	set(true)
	if !s.Binds(t, u1, "another one") {
		t.Error("a reactivated account does not bind")
	}
}

// TestManyMembers changes more members than fit into one request.
func TestManyMembers(t *testing.T) {
	const n = 2*memberChunk + 50
	s := testserver.Slapd(t, testserver.SlapdOptions{LDIF: tree + persons(n)})
	c := open(t, config(s), Options{})
	people, _ := readAll(t, c, provisioning.TypeUser)
	var refs []provisioning.Ref
	for _, p := range people {
		refs = append(refs, provisioning.Ref{ID: p.ID})
	}
	group, err := c.Create(t.Context(), provisioning.Object{Ref: provisioning.Ref{Type: provisioning.TypeGroup}, Attributes: map[string][]string{"cn": {"big"}}}, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		add, remove []provisioning.Ref
		want        int
	}{{refs[:10], nil, 10}, {refs, nil, n + 1}, {nil, refs[1:], 1}, {nil, refs, 0}} {
		if err := c.PatchMembers(t.Context(), group, step.add, step.remove); err != nil {
			t.Fatal(err)
		}
		g, err := c.Get(t.Context(), group)
		if err != nil || len(g.Members) != step.want {
			t.Errorf("%d members, %v, want %d", len(g.Members), err, step.want)
		}
	}
	ghost := []provisioning.Ref{{ID: "00000000-0000-0000-0000-000000000000"}}
	if err := c.PatchMembers(t.Context(), group, ghost, nil); !errors.Is(err, provisioning.ErrNotFound) {
		t.Errorf("a member who does not exist: %v, want ErrNotFound", err)
	}
}
