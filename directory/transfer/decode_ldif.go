package transfer

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/schemas"
)

// The profile attributes of inetOrgPerson (RFC 2798) and of its relatives, and of
// groups, by the lower-case names of the LDAP attributes.
var (
	ldapUser = map[string]string{
		"givenname": "firstName", "sn": "lastName", "title": "title", "employeenumber": "employeeNumber",
		"employeetype": "userType", "o": "organization", "telephonenumber": "primaryPhone", "mobile": "mobilePhone",
		"street": "streetAddress", "streetaddress": "streetAddress", "l": "city", "st": "state", "postalcode": "zipCode", "c": "countryCode",
		"preferredlanguage": "preferredLanguage", "manager": managerName, "entryuuid": "externalId", "userpassword": columnHash,
	}
	ldapGroup = map[string]string{
		"cn": "displayName", "description": "description", "entryuuid": "externalId",
		"member": columnMember, "uniquemember": columnMember,
	}
)

// ldapRest are those that mean something together with others.
var ldapRest = []string{"objectclass", "mail", "uid", "cn", "displayname", "departmentnumber", "ou"}

// userClasses and groupClasses tell what an entry is. Others, of the tree itself or of
// devices, are passed over.
var (
	userClasses  = []string{"inetorgperson", "organizationalperson", "person", "user", "posixaccount"}
	groupClasses = []string{"groupofnames", "groupofuniquenames", "group", "groupofentries", "groupofmembers"}
)

// firstMembers is how many members of a group the first pass keeps, for the reject file.
const firstMembers = 1000

// ldifDecoder makes records of the entries of an LDIF file.
type ldifDecoder struct {
	o           *Options
	r           *ldifReader
	user, group *schemas.Type
	users       map[string]*column // what LDAP attributes mean, by lower-case name
	groups      map[string]*column
	n           int64
	rec         *ldifRecord
	part        bool // the record is another part of the one before
	line        int64
}

func newLDIFDecoder(in *input, o *Options, s *schemas.Snapshot, second bool) (*ldifDecoder, error) {
	d := &ldifDecoder{o: o, r: newLDIFReader(in), users: map[string]*column{}, groups: map[string]*column{}}
	d.user, _ = s.Type("User")
	d.group, _ = s.Type("Group") // every schema has both
	if err := d.compile(); err != nil {
		return nil, err
	}
	d.r.wanted = d.firstPass
	if second {
		d.r.part = linkPart
		d.r.wanted = func(_ *ldifRecord, name string) bool { return d.isMember(name) || d.isManager(name) }
	}
	return d, nil
}

// compile finds what the LDAP attributes mean; Map says otherwise for some, of users or
// groups or both.
func (d *ldifDecoder) compile() error {
	for name, target := range d.o.Map {
		errUser := compileLDAP(d.user, d.users, name, target)
		errGroup := compileLDAP(d.group, d.groups, name, target)
		if errUser != nil && errGroup != nil {
			return fmt.Errorf("map %s: %w", name, errUser)
		}
	}
	for name, target := range ldapUser {
		if err := compileLDAP(d.user, d.users, name, target); err != nil {
			return err
		}
	}
	for name, target := range ldapGroup {
		if err := compileLDAP(d.group, d.groups, name, target); err != nil {
			return err
		}
	}
	return nil
}

func compileLDAP(t *schemas.Type, columns map[string]*column, name, target string) error {
	name = strings.ToLower(name)
	if columns[name] != nil {
		return nil
	}
	c, err := compileColumn(t, &Options{Map: map[string]string{name: target}}, name)
	if err == nil {
		columns[name] = &c
	}
	return err
}

func (d *ldifDecoder) isMember(name string) bool {
	c := d.groups[strings.ToLower(name)]
	return c != nil && c.special == columnMember
}

func (d *ldifDecoder) isManager(name string) bool {
	c := d.users[strings.ToLower(name)]
	return c != nil && c.text != nil && c.text.Name == managerName
}

// firstPass leaves out what is not imported, and members beyond the first.
func (d *ldifDecoder) firstPass(rec *ldifRecord, name string) bool {
	name = strings.ToLower(name)
	if d.isMember(name) {
		rec.members++
		return rec.members <= firstMembers
	}
	return slices.Contains(ldapRest, name) || d.users[name] != nil || d.groups[name] != nil
}

func (d *ldifDecoder) at() (int64, int64) { return d.n, d.line }

func (d *ldifDecoder) read() error {
	d.part = d.rec != nil && d.rec.more
	rec, err := d.r.next()
	if fault := asFault(err); fault != nil {
		d.rec, d.line = nil, fault.Line
	} else if err == nil {
		d.rec, d.line = rec, rec.line
	}
	if !d.part && (err == nil || asFault(err) != nil) {
		d.n++
	}
	return err
}

// record is nil for an entry that is no person and no group.
func (d *ldifDecoder) record() *record {
	r := &record{n: d.n, line: d.line, ref: canonicalDN(d.rec.dn), raw: d.rec}
	columns, rest := d.users, d.restOfUser
	switch classes := d.valuesOf("objectclass"); {
	case hasClass(classes, groupClasses):
		r.typ, r.kind, columns, rest = d.group, directory.OrdinaryGroup, d.groups, nil
	case hasClass(classes, userClasses):
		r.typ = d.user
	default:
		return nil
	}
	cells := d.cells(columns)
	if rest != nil {
		cells = append(cells, rest()...)
	}
	r.refs = r.refs || d.rec.members > 0
	if r.fault = r.fill(d.o, cells); r.fault == nil {
		r.fault = d.password(r)
	}
	if r.fault == nil {
		r.fault = r.setKey(d.o)
	}
	return r
}

func hasClass(have, want []string) bool {
	return slices.ContainsFunc(have, func(c string) bool { return slices.Contains(want, strings.ToLower(c)) })
}

// valuesOf are the values of an attribute, its options left out of account.
func (d *ldifDecoder) valuesOf(name string) []string {
	var all []string
	for _, v := range d.rec.values {
		if base, _, _ := strings.Cut(v.name, ";"); strings.EqualFold(base, name) && v.value != "" {
			all = append(all, v.value)
		}
	}
	return all
}

// cells are what the attributes say that mean something alone. Of several values of a
// single-valued attribute the first is taken, as LDAP knows no order among them.
func (d *ldifDecoder) cells(columns map[string]*column) []cell {
	var cells []cell
	for _, name := range slices.Sorted(maps.Keys(columns)) {
		c, texts := columns[name], d.valuesOf(name)
		if len(texts) == 0 && !d.o.ClearEmpty {
			continue
		}
		if multi := c.special == columnMember || c.text != nil && c.text.Multi(); len(texts) > 1 && !multi {
			texts = texts[:1]
		}
		cells = append(cells, cell{c, texts})
	}
	return cells
}

// restOfUser is what several attributes say together, unless Map says what one of them
// means: the login is a user ID that has the form of one, the address, or else the user
// ID in the domain of the DN.
func (d *ldifDecoder) restOfUser() []cell {
	mail, uid := d.valuesOf("mail"), d.valuesOf("uid")
	first := func(lists ...[]string) []string {
		for _, l := range lists {
			if len(l) > 0 {
				return l[:1]
			}
		}
		return nil
	}
	login := first(mail)
	if len(uid) > 0 && strings.Contains(uid[0], "@") {
		login = uid[:1]
	} else if domain := dnDomain(d.rec.dn); login == nil && len(uid) > 0 && domain != "" {
		login = []string{uid[0] + "@" + domain}
	}
	var second []string
	if len(mail) > 1 {
		second = mail[1:2]
	}
	var cells []cell
	for target, texts := range map[string][]string{
		"login": login, "email": first(mail), "secondEmail": second, "displayName": first(d.valuesOf("displayname"), d.valuesOf("cn")),
		"department": first(d.valuesOf("departmentnumber"), d.valuesOf("ou")),
	} {
		text, err := d.user.Text(target)
		if err != nil || d.isMapped(text) || texts == nil {
			continue
		}
		cells = append(cells, cell{&column{name: target, text: text}, texts})
	}
	return cells
}

// isMapped reports whether an attribute is given by Map.
func (d *ldifDecoder) isMapped(text *schemas.Text) bool {
	for _, c := range d.users {
		if c.text != nil && (c.text.Same(text) || text.Name == "login" && strings.EqualFold(c.text.Name, "userName")) {
			return true
		}
	}
	return false
}

// password takes a userPassword without a scheme for what it is (RFC 4519, section 2.41).
func (d *ldifDecoder) password(r *record) error {
	if hash := r.opts.PasswordHash; hash != "" && hash[0] != '{' && hash[0] != '$' {
		r.opts.PasswordHash = ""
		r.res.Password = hash
		if !utf8.ValidString(hash) {
			return errors.New("userPassword: the text is not valid UTF-8")
		}
	}
	return nil
}

func (d *ldifDecoder) links() *links {
	l := &links{n: d.n, line: d.line, raw: &ldifRecord{dn: d.rec.dn}}
	for _, v := range d.rec.values {
		switch {
		case d.isMember(v.name):
			l.members = append(l.members, canonicalDN(v.value))
		case d.isManager(v.name) && l.manager == "":
			l.manager = canonicalDN(v.value)
		}
	}
	return l
}
