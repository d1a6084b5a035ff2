package transfer

import (
	"crypto/sha1"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/provost-id/provost/directory"
)

// ssha is a hash as LDAP servers make it.
func ssha(password string) string {
	salt := []byte("NaCl")
	sum := sha1.Sum(append([]byte(password), salt...))
	return "{SSHA}" + base64.StdEncoding.EncodeToString(append(sum[:], salt...))
}

const people = `version: 1

dn: dc=example,dc=com
objectClass: dcObject
objectClass: organization
dc: example
o: Example

dn: cn=Staff,ou=groups,dc=example,dc=com
objectClass: groupOfNames
cn: Staff
description: everybody
member: uid=ann, ou=People, dc=Example, dc=com
member: uid=bob,ou=people,dc=example,dc=com
member: cn=Board,ou=groups,dc=example,dc=com
member: uid=ghost,ou=people,dc=example,dc=com

dn: uid=ann,ou=people,dc=example,dc=com
objectClass: inetOrgPerson
uid: ann
cn:: WsO2ZSBBbm4=
sn: Ann
givenName: Zoe
mail: ann@example.com
mail: second@example.com
jpegPhoto:: /9j/4AAQSkZJRg==
departmentNumber: Sales
manager: uid=bob,ou=people,dc=example,dc=com
userPassword: HASH
pwdChangedTime: 20200101000000Z

dn: uid=bob,ou=people,dc=example,dc=com
objectClass: inetOrgPerson
uid: bob
cn: Bob
sn: Bob
manager: uid=ann,ou=people,dc=example,dc=com

dn: cn=Board,ou=groups,dc=example,dc=com
objectClass: groupOfUniqueNames
cn: Board
uniqueMember: uid=bob,ou=people,dc=example,dc=com

dn: uid=evil,ou=people,dc=example,dc=com
objectClass: inetOrgPerson
uid: evil
cn:< file:///etc/passwd

dn: uid=nosn,ou=people,dc=example,dc=com
objectClass: inetOrgPerson
uid: nosn
mail: x
`

// People, groups in groups and managers come whatever their order; what else the tree
// holds is passed over.
func TestLDIFImport(t *testing.T) {
	eachEngine(t, func(t *testing.T, d *directory.Directory, _ func() *directory.Directory) {
		path := writeFile(t, "people.ldif", strings.Replace(people, "HASH", ssha("secret"), 1))
		dry := importFile(t, d, Options{Path: path, DryRun: true})
		s := importFile(t, d, Options{Path: path, batch: 2})
		want := Counts{Records: 7, Created: 4, Rejected: 3, Skipped: 1, Members: 4, Deferred: 4}
		if diff := cmp.Diff(want, s.Counts); diff != "" {
			t.Errorf("counts (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(want, dry.Counts); diff != "" {
			t.Errorf("counts of the dry run (-want +got):\n%s", diff)
		}
		ann, bob := mustLogin(t, d, "ann@example.com"), mustLogin(t, d, "bob@example.com")
		p, err := d.Profile(ann)
		check(t, err)
		wantProfile := map[string]any{"login": "ann@example.com", "email": "ann@example.com", "secondEmail": "second@example.com", "firstName": "Zoe", "lastName": "Ann",
			"displayName": "Zöe Ann", "department": "Sales", "managerId": bob.ID}
		if diff := cmp.Diff(wantProfile, p); diff != "" {
			t.Errorf("Ann (-want +got):\n%s", diff)
		}
		if p := userByLogin(t, d, "bob@example.com"); p["managerId"] != ann.ID {
			t.Errorf("Bob: %v", p)
		}
		if _, err := d.CheckPassword(t.Context(), "ann@example.com", "secret"); err != nil {
			t.Errorf("sign-in with the imported hash: %v", err)
		}
		groups, err := d.FindGroups(t.Context(), "", directory.ByName, []string{"staff", "board"})
		check(t, err)
		if len(groups) != 2 {
			t.Fatalf("groups %v", groups)
		}
		all := contents(t, d)
		for _, g := range groups {
			has := strings.Count(all[g.ID], "00u") + strings.Count(all[g.ID], "00g")
			if wantMembers := map[string]int{"Staff": 3, "Board": 1}[g.Name()]; has != wantMembers {
				t.Errorf("%s has %d members, want %d: %s", g.Name(), has, wantMembers, all[g.ID])
			}
		}
		wantRejects := "# line 47: cn: a value by URL is not read\n\n" +
			"# line 49: attribute \"login\": want at least 5 characters, got 1\ndn: uid=nosn,ou=people,dc=example,dc=com\nobjectClass: inetOrgPerson\nuid: nosn\nmail: x\n\n" +
			"# line 9: 1 members are not known\ndn: cn=Staff,ou=groups,dc=example,dc=com\nmember: uid=ghost,ou=people,dc=example,dc=com\n\n"
		if diff := cmp.Diff(wantRejects, read(t, s.Rejects)); diff != "" {
			t.Errorf("rejects (-want +got):\n%s", diff)
		}
	})
}

// What another SCIM server exported refers by its own IDs.
func TestJSONLinesFromElsewhere(t *testing.T) {
	eachEngine(t, func(t *testing.T, d *directory.Directory, _ func() *directory.Directory) {
		const user, group = `"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"]`, `"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"]`
		path := writeFile(t, "scim.jsonl", "{"+group+`,"id":"g-1","displayName":"Team","members":[{"value":"u-1"},{"value":"u-2"},{"value":"u-9"}]}`+"\n\n"+
			"{"+user+`,"id":"u-1","userName":"one@example.com","externalId":"e1","meta":{"created":"2001-01-01T00:00:00Z"},"groups":[{"value":"g-1"}],"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":{"value":"u-2"}}}`+"\n"+
			"{"+user+`,"id":"u-2","userName":"two@example.com","password":"Tr1ckier-than-most","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":{"value":"u-1"}}}`+"\n"+
			"{"+user+`,"id":"u-3","userName":"three@example.com","shoeSize":44}`+"\n"+
			`{"userName":"no schema"}`+"\nnot json\n[]\n"+"{"+user+`,"userName":"four@example.com"} {}`+"\n"+
			"{"+user+`,"userName":"five@example.com","emails":[{"value":"a","primary":true},{"value":"b","primary":true}]}`+"\n")
		s := importFile(t, d, Options{Path: path})
		want := Counts{Records: 9, Created: 3, Rejected: 7, Members: 2, Deferred: 3}
		if diff := cmp.Diff(want, s.Counts); diff != "" {
			t.Errorf("counts (-want +got):\n%s\n%s", diff, read(t, s.Rejects))
		}
		one, two := mustLogin(t, d, "one@example.com"), mustLogin(t, d, "two@example.com")
		if one.Created.Year() == 2001 || one.ID == "u-1" {
			t.Errorf("an ID or time from elsewhere is kept: %+v", one)
		}
		for login, manager := range map[string]string{"one@example.com": two.ID, "two@example.com": one.ID} {
			if p := userByLogin(t, d, login); p["managerId"] != manager {
				t.Errorf("%s: %v", login, p)
			}
		}
		if _, err := d.CheckPassword(t.Context(), "two@example.com", "Tr1ckier-than-most"); err != nil {
			t.Errorf("sign-in: %v", err)
		}
		rejects := read(t, s.Rejects)
		for _, reason := range []string{`"line":5,"reason":"attribute \"shoeSize\": no schema`, "no resource type of the schema", `"text":"not json"`, "something follows", "primary", `"members":[{"value":"u-9"}]`} {
			if !strings.Contains(rejects, reason) {
				t.Errorf("no %q among the rejects:\n%s", reason, rejects)
			}
		}
		if again := importFile(t, d, Options{Path: writeFile(t, "again.jsonl", rejects), IgnoreUnknown: true}); again.Created != 1 {
			t.Errorf("the reject file, unknown attributes left out: %+v", again)
		}
	})
}
