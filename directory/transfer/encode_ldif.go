package transfer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/internal/id"
	"github.com/provost-id/provost/schemas"
)

// ldifEncoder writes people as inetOrgPerson (RFC 2798) and groups as groupOfNames.
type ldifEncoder struct {
	ex     *exporter
	w      *ldifWriter
	people string // the DNs of the containers
	groups string
	user   *schemas.Type
	group  *schemas.Type
	texts  map[string]*schemas.Text
}

// ldapOut are the attributes of a person, in order; the rest is written by hand.
var ldapOut = [][2]string{
	{"givenName", "firstName"}, {"displayName", "displayName"}, {"mail", "email"}, {"mail", "secondEmail"}, {"title", "title"},
	{"employeeNumber", "employeeNumber"}, {"employeeType", "userType"}, {"o", "organization"}, {"departmentNumber", "department"},
	{"telephoneNumber", "primaryPhone"}, {"mobile", "mobilePhone"}, {"street", "streetAddress"}, {"l", "city"}, {"st", "state"},
	{"postalCode", "zipCode"}, {"preferredLanguage", "preferredLanguage"},
}

func newLDIFEncoder(ex *exporter, w io.Writer) (*ldifEncoder, error) {
	if _, err := ldap.ParseDN(ex.o.BaseDN); err != nil {
		return nil, fmt.Errorf("base DN: %w", err)
	}
	e := &ldifEncoder{ex: ex, w: newLDIFWriter(w), people: "ou=people," + ex.o.BaseDN, groups: "ou=groups," + ex.o.BaseDN, texts: map[string]*schemas.Text{}}
	for _, typ := range ex.o.Types {
		if typ != "User" && typ != "Group" {
			return nil, fmt.Errorf("LDIF knows people and groups, and no %s", typ)
		}
	}
	e.user, _ = ex.schema.Type("User")
	e.group, _ = ex.schema.Type("Group") // every schema has both
	names := []string{"userName", "lastName", managerName}
	for _, pair := range ldapOut {
		names = append(names, pair[1])
	}
	for _, name := range names {
		x, err := e.user.Text(name)
		if err != nil {
			return nil, err
		}
		e.texts[name] = x
	}
	return e, nil
}

func (e *ldifEncoder) begin() error {
	err := e.w.version()
	for _, dn := range []string{e.people, e.groups} {
		ou, _, _ := strings.Cut(strings.TrimPrefix(dn, "ou="), ",")
		err = errors.Join(err, e.entry(dn, "objectClass", "organizationalUnit", "ou", ou))
	}
	return err
}

func (e *ldifEncoder) end() error { return e.w.flush() }

// entry writes a whole record of pairs; an empty value is left out.
func (e *ldifEncoder) entry(dn string, pairs ...string) error {
	return errors.Join(e.values(dn, pairs...), e.w.end())
}

func (e *ldifEncoder) values(dn string, pairs ...string) error {
	err := e.w.value("dn", dn)
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			err = errors.Join(err, e.w.value(pairs[i], pairs[i+1]))
		}
	}
	return err
}

func (e *ldifEncoder) page(ctx context.Context, page []*directory.Stored) error {
	if len(page) > 0 && page[0].Type == "Group" {
		for _, s := range page {
			if err := e.groupEntry(ctx, s); err != nil {
				return err
			}
		}
		return nil
	}
	return e.userEntries(ctx, page)
}

func (e *ldifEncoder) userEntries(ctx context.Context, page []*directory.Stored) error {
	people := make([]*schemas.Resource, len(page))
	var bosses []string
	for i, s := range page {
		var err error
		if people[i], err = e.ex.decode(e.user, s); err != nil {
			return err
		}
		if boss := e.text(people[i], managerName); id.Is(id.User, boss) {
			bosses = append(bosses, boss)
		}
	}
	docs, err := e.ex.dir.DocumentsOf(ctx, e.ex.rd, bosses)
	if err != nil {
		return err
	}
	for i, s := range page {
		managerDN := ""
		if doc := docs[e.text(people[i], managerName)]; doc != nil {
			if managerDN, err = e.dnOf("User", doc); err != nil {
				return err
			}
		}
		if err := e.userEntry(s, people[i], managerDN); err != nil {
			return err
		}
	}
	return nil
}

func (e *ldifEncoder) text(r *schemas.Resource, name string) string {
	if texts := e.texts[name].Of(r); len(texts) > 0 {
		return texts[0]
	}
	return ""
}

func (e *ldifEncoder) userEntry(s *directory.Stored, r *schemas.Resource, managerDN string) error {
	login := e.text(r, "userName")
	last := e.text(r, "lastName")
	common := e.text(r, "displayName")
	if common == "" {
		common = strings.TrimSpace(e.text(r, "firstName") + " " + last)
	}
	if common == "" {
		common = login
	}
	if last == "" {
		last = login // sn is required
	}
	pairs := []string{"objectClass", "inetOrgPerson", "uid", login, "cn", common, "sn", last}
	for _, pair := range ldapOut {
		pairs = append(pairs, pair[0], e.text(r, pair[1]))
	}
	pairs = append(pairs, "manager", managerDN, "userPassword", e.password(s.PasswordHash))
	return e.entry("uid="+ldap.EscapeDN(login)+","+e.people, pairs...)
}

// dnOf is the DN that a document's resource has in the export.
func (e *ldifEncoder) dnOf(typ string, doc []byte) (string, error) {
	if typ == "Group" {
		r, err := e.group.Decode(doc)
		if err != nil {
			return "", err
		}
		return "cn=" + ldap.EscapeDN(r.DisplayName()) + "," + e.groups, nil
	}
	r, err := e.user.Decode(doc)
	if err != nil {
		return "", err
	}
	return "uid=" + ldap.EscapeDN(r.UserName()) + "," + e.people, nil
}

func (e *ldifEncoder) groupEntry(ctx context.Context, s *directory.Stored) error {
	r, err := e.ex.decode(e.group, s)
	if err != nil {
		return err
	}
	dn, err := e.dnOf("Group", s.Doc)
	if err != nil {
		return err
	}
	description, _ := r.Profile()["description"].(string)
	if err := e.values(dn, "objectClass", "groupOfNames", "cn", r.DisplayName(), "description", description); err != nil {
		return err
	}
	err = e.ex.dir.WalkMembers(ctx, e.ex.rd, s.RID, func(page []*directory.StoredMember) error {
		for _, m := range page {
			member, err := e.dnOf(m.Type, m.Doc)
			if err == nil {
				err = e.w.value("member", member)
			}
			if err != nil {
				return err
			}
			e.ex.members++
		}
		return nil
	})
	return errors.Join(err, e.w.end())
}

// ldapSchemes are how LDAP servers mark the hashes that are not their own.
var ldapSchemes = []struct {
	begins *regexp.Regexp
	scheme string
	keep   string // of the submatches of begins
}{
	{regexp.MustCompile(`^\{`), "", "{"},
	{regexp.MustCompile(`^\$argon2`), "{ARGON2}", "$$argon2"},
	{regexp.MustCompile(`^\$(2[aby]|5|6)\$`), "{CRYPT}", "$$$1$$"},
	{regexp.MustCompile(`^\$pbkdf2-sha256\$`), "{PBKDF2-SHA256}", ""},
	{regexp.MustCompile(`^\$pbkdf2-sha512\$`), "{PBKDF2-SHA512}", ""},
	{regexp.MustCompile(`^\$pbkdf2(-sha1)?\$`), "{PBKDF2}", ""},
}

// password is a hash as LDAP servers write it, empty for one of a kind that none knows.
func (e *ldifEncoder) password(hash string) string {
	if hash == "" {
		return ""
	}
	for _, s := range ldapSchemes {
		if s.begins.MatchString(hash) {
			return s.scheme + s.begins.ReplaceAllString(hash, s.keep)
		}
	}
	e.ex.note("password hashes of kinds that LDAP does not know were left out")
	return ""
}
