package ldap

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/provost-id/provost/internal/testserver"
	"github.com/provost-id/provost/provisioning"
)

func readAll(t *testing.T, c *Connector, typ string) (map[string]provisioning.Object, provisioning.End) {
	t.Helper()
	all := map[string]provisioning.Object{}
	end, err := c.Read(t.Context(), provisioning.ReadRequest{Type: typ}, func(b provisioning.Batch) error {
		for _, o := range b.Objects {
			all[o.Name] = o
		}
		return nil
	})
	if err != nil {
		t.Fatalf("read %ss: %v", typ, err)
	}
	return all, end
}

// TestReadOrganisation reads testdata/ldap: everything arrives, and every DN that stands for somebody is somebody's Name.
func TestReadOrganisation(t *testing.T) {
	c := open(t, config(testserver.Slapd(t, testserver.SlapdOptions{})), Options{})
	people, end := readAll(t, c, provisioning.TypeUser)
	if len(people) < 300 || !end.Complete || end.Total != len(people) || len(end.Cursor) == 0 {
		t.Fatalf("%d people, %+v", len(people), end)
	}
	groups, end := readAll(t, c, provisioning.TypeGroup)
	if len(groups) < 30 || !end.Complete {
		t.Fatalf("%d groups, %+v", len(groups), end)
	}
	everybody := maps.Clone(people)
	maps.Copy(everybody, groups)
	nested, managers := 0, 0
	for _, g := range groups {
		for _, m := range g.Members {
			if _, ok := everybody[m.Name]; !ok {
				t.Fatalf("%s has the member %s, who is nobody", g.Name, m.Name)
			}
			if _, ok := groups[m.Name]; ok {
				nested++
			}
		}
	}
	for _, p := range people {
		if m := p.Attributes["manager"]; len(m) == 1 && everybody[m[0]].ID != "" {
			managers++
		}
	}
	if nested < 5 || managers != len(people)-1 {
		t.Errorf("%d groups in groups, %d people with a manager who exists", nested, managers)
	}
}

func TestReadAttributes(t *testing.T) {
	c := open(t, config(testserver.Slapd(t, testserver.SlapdOptions{LDIF: tree + `dn: cn=Müller\2C J\C3\B6rg,ou=people,dc=example,dc=com
objectClass: inetOrgPerson
cn: Müller, Jörg
sn: Müller
sn: Mueller
mail: one@example.com
mail: two@example.com
jpegPhoto:: /9j/4AAQ
pwdAccountLockedTime: 000001010000Z
`})), Options{})
	people, _ := readAll(t, c, provisioning.TypeUser)
	o := people[`cn=müller\, jörg,ou=people,dc=example,dc=com`]
	if o.Active || o.ID == "" {
		t.Errorf("a locked account: %+v", o)
	}
	delete(o.Attributes, "dn")
	want := map[string][]string{
		"cn": {"Müller, Jörg"}, "sn": {"Müller", "Mueller"}, "mail": {"one@example.com", "two@example.com"}, "objectClass": {"inetOrgPerson"},
	}
	if diff := cmp.Diff(want, o.Attributes); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	typ, _ := schema.Type(provisioning.TypeUser)
	if got := typ.Profile(o.Attributes)["mails"]; fmt.Sprint(got) != "[one@example.com two@example.com]" {
		t.Errorf("mails: %v", got)
	}
}

// tree is the frame that entries of a test stand in.
const tree = `dn: dc=example,dc=com
objectClass: dcObject
objectClass: organization
dc: example
o: Example

dn: ou=people,dc=example,dc=com
objectClass: organizationalUnit
ou: people

dn: ou=groups,dc=example,dc=com
objectClass: organizationalUnit
ou: groups

dn: uid=reader,ou=people,dc=example,dc=com
objectClass: inetOrgPerson
uid: reader
cn: Reader
sn: Reader
userPassword: reader-password

`

func persons(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "dn: uid=u%[1]d,ou=people,dc=example,dc=com\nobjectClass: inetOrgPerson\nuid: u%[1]d\ncn: U\nsn: %[1]d\n\n", i)
	}
	return b.String()
}

// asReader signs in as somebody who is subject to limits.
func asReader(s *testserver.LDAP) provisioning.Config {
	c := config(s)
	c["bindDn"], c["bindPassword"] = "uid=reader,ou=people,dc=example,dc=com", "reader-password"
	return c
}

// TestADV73_LimitIsNoEnd: a server that stops telling has not told everything.
func TestADV73_LimitIsNoEnd(t *testing.T) {
	s := testserver.Slapd(t, testserver.SlapdOptions{LDIF: tree + persons(40), Database: "limits * size.pr=noEstimate size.prtotal=20 size=20"})
	c := open(t, asReader(s), Options{})
	end, err := c.Read(t.Context(), provisioning.ReadRequest{Type: provisioning.TypeUser, PageSize: 8}, func(provisioning.Batch) error { return nil })
	if !errors.Is(err, provisioning.ErrTruncated) || end.Complete {
		t.Errorf("got %+v, %v, want ErrTruncated", end, err)
	}
}

// TestADV71_ReferralIsNotFollowed: what another server may hold is neither read nor taken for absent.
func TestADV71_ReferralIsNotFollowed(t *testing.T) {
	s := testserver.Slapd(t, testserver.SlapdOptions{LDIF: tree + `dn: ou=elsewhere,ou=people,dc=example,dc=com
objectClass: referral
objectClass: extensibleObject
ou: elsewhere
ref: ldap://192.0.2.1/ou=elsewhere,dc=example,dc=com

`})
	c := open(t, config(s), Options{})
	people, end := readAll(t, c, provisioning.TypeUser)
	if end.Complete || len(people) != 1 {
		t.Errorf("%d people, %+v: with a referral nothing is complete", len(people), end)
	}
	_, err := c.Create(t.Context(), provisioning.Object{
		Ref:    provisioning.Ref{Type: provisioning.TypeUser, Name: "uid=x,ou=elsewhere,ou=people,dc=example,dc=com"},
		Active: true, Attributes: map[string][]string{"uid": {"x"}, "cn": {"x"}, "sn": {"x"}},
	}, "")
	var e *provisioning.Error
	if !errors.As(err, &e) || e.Status != 10 || !strings.Contains(e.Body, "not followed") {
		t.Errorf("a create below a referral: %v", err)
	}
}

func TestReadCancelledIsNeverComplete(t *testing.T) {
	c := open(t, config(testserver.Slapd(t, testserver.SlapdOptions{LDIF: tree + persons(1200)})), Options{})
	for _, after := range []int{0, 1, 2} {
		ctx, cancel := context.WithCancel(t.Context())
		if after == 0 {
			cancel()
		}
		n := 0
		end, err := c.Read(ctx, provisioning.ReadRequest{Type: provisioning.TypeUser}, func(provisioning.Batch) error {
			if n++; n == after {
				cancel()
			}
			return nil
		})
		if err == nil || end.Complete {
			t.Errorf("cancelled after %d batches: %+v, %v", after, end, err)
		}
		cancel()
	}
}

// TestChangesOfAnOldCursor: a cookie from before the server's log gets everything that exists, and Complete says that the rest is gone.
func TestChangesOfAnOldCursor(t *testing.T) {
	s := testserver.Slapd(t, testserver.SlapdOptions{LDIF: tree + persons(10)})
	c := open(t, config(s), Options{})
	mentioned := 0
	end, err := c.Changes(t.Context(), provisioning.ChangeRequest{
		Type: provisioning.TypeUser, Cursor: []byte("rid=000,csn=20010101000000.000000Z#000000#000#000000"),
	}, func(b provisioning.Batch) error {
		mentioned += len(b.Objects) + len(b.Present)
		return nil
	})
	if err != nil || !end.Complete || mentioned != 11 || len(end.Cursor) == 0 {
		t.Errorf("%d mentioned, %+v, %v", mentioned, end, err)
	}
}

// TestChangesOfARename: a new DN is the same object.
func TestChangesOfARename(t *testing.T) {
	s := testserver.Slapd(t, testserver.SlapdOptions{LDIF: tree + persons(3)})
	c := open(t, config(s), Options{})
	first, err := c.Changes(t.Context(), provisioning.ChangeRequest{Type: provisioning.TypeUser}, func(provisioning.Batch) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	before, err := c.Get(t.Context(), provisioning.Ref{Type: provisioning.TypeUser, Name: "u1"})
	if err != nil {
		t.Fatal(err)
	}
	s.Modify(t, "dn: uid=u1,ou=people,dc=example,dc=com\nchangetype: modrdn\nnewrdn: uid=new\ndeleteoldrdn: 1\n")
	var got []provisioning.Object
	_, err = c.Changes(t.Context(), provisioning.ChangeRequest{Type: provisioning.TypeUser, Cursor: first.Cursor}, func(b provisioning.Batch) error {
		got = append(got, b.Objects...)
		if len(b.Deleted) > 0 {
			t.Errorf("deleted: %v", b.Deleted)
		}
		return nil
	})
	if err != nil || len(got) != 1 || got[0].ID != before.ID || got[0].Name != "uid=new,ou=people,dc=example,dc=com" {
		t.Errorf("got %+v, %v", got, err)
	}
	if !slices.Equal(got[0].Attributes["uid"], []string{"new"}) {
		t.Errorf("uid: %v", got[0].Attributes["uid"])
	}
}
