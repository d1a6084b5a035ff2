package schemas

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

func parseFilter(t testing.TB, typeName, src string, d Dialect) *Filter {
	t.Helper()
	f, err := typ(typeName).ParseFilter(src, d)
	if err != nil {
		t.Fatalf("filter %s: %v", src, err)
	}
	return f
}

// shape prints a filter as its executor sees it: where, what, how, and the folded value.
func shape(n Node) string {
	switch n := n.(type) {
	case *And:
		return "and(" + shapes(n.Terms) + ")"
	case *Or:
		return "or(" + shapes(n.Terms) + ")"
	case *Not:
		return "not(" + shape(n.Term) + ")"
	case *ValuePath:
		return n.Attr.Path + "[" + shape(n.Node) + "]"
	case *Compare:
		where := map[Where]string{
			InIndex: n.Attr.Path, InActive: "$active", InUserName: "$userName", InDisplayName: "$displayName",
			InFamilyName: "$familyName", InGivenName: "$givenName", InID: "$id", InExternalID: "$externalId",
			InCreated: "$created", InModified: "$modified", InVersion: "$version",
			InResourceType: "$type", InLocation: "$location", InSchemas: "$schemas",
			InStatus: "$status", InStatusChanged: "$statusChanged", InActivated: "$activated", InMembersChanged: "$membersChanged", InUserType: "$userType", InMembers: "$members." + n.Attr.Sub, InGroups: "$groups." + n.Attr.Sub,
		}[n.Attr.Where]
		if n.Op == PR {
			return where + " pr"
		}
		return fmt.Sprintf("%s %s %q", where, n.Op, n.Value)
	default:
		return fmt.Sprintf("%T", n)
	}
}

func shapes(ns []Node) string {
	var parts []string
	for _, n := range ns {
		parts = append(parts, shape(n))
	}
	return strings.Join(parts, ", ")
}

// TestFilter_Rows: every row of the correctness table that evaluates.
func TestFilter_Rows(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ typ, src, want string }{
		{"User", `userName eq "BJensen"`, `$userName eq "bjensen"`},
		{"User", `userName Eq "Isáàc.Bröck"`, `$userName eq "isaac.brock"`},
		{"User", `USERNAME EQ "x"`, `$userName eq "x"`},
		{"User", `name.givenName sw "B"`, `$givenName sw "b"`},
		{"User", `name.familyName co "É"`, `$familyName co "é"`},
		{"User", `name.middleName ew "x"`, `name.middleName ew "x"`},
		{"User", `displayName gt "M"`, `$displayName gt "m"`},
		{"User", `emails[type eq "work" and value co "X"]`, `emails[and(emails.type eq "work", emails.value co "x")]`},
		{"User", `externalId eq "Ext-1"`, `$externalId eq "Ext-1"`},
		{"User", `active eq true`, `$active eq "true"`},
		{"User", `active eq "False"`, `$active eq "false"`},
		{"User", `not (title pr)`, `not(title pr)`},
		{"User", `not(title pr)`, `not(title pr)`},
		{"User", `title pr`, `title pr`},
		{"User", userURN + `:userName eq "x"`, `$userName eq "x"`},
		{"User", strings.ToUpper(userURN) + `:name.familyName eq "x"`, `$familyName eq "x"`},
		{"User", `emails.value eq "X@y"`, `emails.value eq "x@y"`},
		{"User", `emails eq "X@y"`, `emails.value eq "x@y"`},
		{"User", `emails co "@"`, `emails.value co "@"`},
		{"User", enterpriseURN + `:department eq "Tours"`, `enterprise:department eq "tours"`},
		{"User", `department eq "Tours"`, `enterprise:department eq "tours"`},
		{"User", enterpriseURN + `:manager.value eq "26"`, `enterprise:manager.value eq "26"`},
		{"User", `manager eq "26"`, `enterprise:manager.value eq "26"`},
		{"User", `userName eq "x" and ` + enterpriseURN + `:department eq "y"`, `and($userName eq "x", enterprise:department eq "y")`},
		{"User", `id eq "00u1"`, `$id eq "00u1"`},
		{"User", `meta.created gt "2020-01-01T00:00:00+01:00"`, `$created gt "2019-12-31T23:00:00.000000000Z"`},
		{"User", `meta.lastModified le "2020-01-01T00:00:00.5Z"`, `$modified le "2020-01-01T00:00:00.500000000Z"`},
		{"User", `meta.resourceType eq "User"`, `$type eq "User"`},
		{"User", `meta.version eq "W/\"7\""`, `$version eq "W/\"7\""`},
		{"User", `groups.value eq "00g1"`, `$groups.value eq "00g1"`},
		{"User", `groups eq "00g1"`, `$groups.value eq "00g1"`},
		{"User", `groups[display sw "T"]`, `groups[$groups.display sw "t"]`},
		{"User", `groups pr`, `$groups.value pr`},
		{"Group", `members.value eq "00u1"`, `$members.value eq "00u1"`},
		{"Group", `members[value eq "00u1" and type eq "User"]`, `members[and($members.value eq "00u1", $members.type eq "user")]`},
		{"Group", `members pr`, `$members.value pr`},
		{"Group", `members.display eq "X"`, `$members.display eq "x"`},
		{"Group", `members.$ref sw "https://x/Users/A"`, `$members.$ref sw "https://x/Users/A"`},
		{"User", `groups.type eq "Direct" and groups.$ref pr`, `and($groups.type eq "direct", $groups.$ref pr)`},
		{"Group", `displayName eq "Tour Guides"`, `$displayName eq "tour guides"`},
		{"Group", `description co "x"`, `org:description co "x"`},
		{"User", `title eq null`, `not(title pr)`},
		{"User", `title ne null`, `title pr`},
		{"User", `title eq ""`, `not(title pr)`},
		{"User", `title ne ""`, `title pr`},
		{"User", `title co ""`, `title pr`},
		{"User", `title ne "x"`, `title ne "x"`},
		{"User", `title eq "a\u00e9"`, `title eq "aé"`},
		{"User", `title eq "say \"hi\" and (or)"`, `title eq "say \"hi\" and (or)"`},
		{"User", `   title    eq   "x"   `, `title eq "x"`},
		{"User", `(title pr)and(nickName pr)`, `and(title pr, nickName pr)`},
		{"User", `title pr or nickName pr and userType pr`, `or(title pr, and(nickName pr, userType pr))`},
		{"User", `(title pr or nickName pr) and userType pr`, `and(or(title pr, nickName pr), userType pr)`},
		{"User", `title pr and (nickName pr and userType pr)`, `and(title pr, nickName pr, userType pr)`},
		{"User", `not (title pr) and nickName pr`, `and(not(title pr), nickName pr)`},
		{"User", `emails[not (type eq "home")]`, `emails[not(emails.type eq "home")]`},
		{"User", `emails[primary eq true]`, `emails[emails.primary eq "true"]`},
		{"User", `addresses.formatted pr`, `addresses.formatted pr`},
		{"User", `x509Certificates.value pr`, `x509Certificates.value pr`},
		{"User", `name pr`, `or(name.formatted pr, $familyName pr, $givenName pr, name.middleName pr, name.honorificPrefix pr, name.honorificSuffix pr)`},
		{"User", `profileUrl eq "https://X/"`, `profileUrl eq "https://X/"`},
		{"User", `addresses.formatted co "Main"`, `addresses.formatted co "main"`},
		{"User", `photos[value eq "https://X/" and type eq "photo"]`, `photos[and(photos.value eq "https://X/", photos.type eq "photo")]`},
		{"User", `x509Certificates.value eq "A-_="`, `x509Certificates.value eq "A+/"`},
		{"User", `x509Certificates eq "QUJD"`, `x509Certificates.value eq "QUJD"`},
		{"User", `key sw "QU-"`, `org:key sw "QU+"`},
		{"User", `schemas eq "URN:x:Y"`, `$schemas eq "urn:x:y"`},
		{"User", `schemas[value co "enterprise"]`, `schemas[$schemas co "enterprise"]`},
		{"User", enterpriseURN + ` pr`, `$schemas eq "` + strings.ToLower(enterpriseURN) + `"`},
		{"User", `meta.location sw "https://X/"`, `$location sw "https://X/"`},
		{"User", `meta.version gt "W/\"7\""`, `$version gt "W/\"7\""`},
		{"User", `meta.version co "7"`, `$version co "7"`},
		{"User", `meta.resourceType sw "U"`, `$type sw "U"`},
		{"User", `meta pr`, `or($type pr, $created pr, $modified pr, $location pr, $version pr)`},
		{"User", `level gt -5`, `org:level gt "7ffffffffffffffb"`},
		{"User", `score le 1.5`, `org:score le "bff8000000000000"`},
		{"User", `remote eq true`, `org:remote eq "true"`},
		{"User", `hired ge "2020-01-01T00:00:00"`, `org:hired ge "2020-01-01T00:00:00.000000000Z"`},
		{"User", `badge eq "AbC"`, `org:badge eq "AbC"`},
		{"User", `tags eq "Red"`, `org:tags eq "red"`},
		{"User", `tags[value sw "R"]`, `org:tags[org:tags sw "r"]`},
	} {
		t.Run(c.src, func(t *testing.T) {
			t.Parallel()
			f := parseFilter(t, c.typ, c.src, Generic)
			if got := shape(f.Root); got != c.want {
				t.Errorf("got %s\nwant %s", got, c.want)
			}
			wantReparsed(t, typ(c.typ), f)
		})
	}
}

// TestFilter_Refused: what cannot be evaluated is invalidFilter, never an empty list.
func TestFilter_Refused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ typ, src, mentions string }{
		{"User", `nosuch eq "x"`, "nosuch"},
		{"User", `name.nosuch eq "x"`, "name.nosuch"},
		{"User", `emails[nosuch eq "a"]`, "emails.nosuch"},
		{"User", `emails[type eq "work"].value eq "x"`, "inside the brackets"},
		{"User", `emails[emails[type eq "x"]]`, "emails"},
		{"User", `name[givenName eq "x"]`, "no value filter"},
		{"User", `userName[value eq "x"]`, "no value filter"},
		{"User", `urn:nosuch:User:title eq "x"`, "urn:nosuch"},
		{"User", enterpriseURN + `:title eq "x"`, "title"},
		{"User", `name eq "x"`, "name a sub-attribute"},
		{"User", `title in ("a")`, "in"},
		{"User", `title eq`, "value is missing"},
		{"User", `title`, "operator"},
		{"User", `eq "x"`, "eq"},
		{"User", `title eq x`, "quotes"},
		{"User", `title eq 'x'`, "quotes"},
		{"User", `title eq "x`, "malformed"},
		{"User", "title eq \"a\x01\"", "malformed"},
		{"User", `title eq "\u0000"`, "malformed"},
		{"User", `title eq 1`, "want string, got number"},
		{"User", `title eq true`, "want string, got boolean"},
		{"User", `title pr "x"`, "want and, or"},
		{"User", `title eq "x" nickName pr`, "want and, or"},
		{"User", `title pr and`, "want an attribute"},
		{"User", `(title pr`, `want ")"`},
		{"User", `title pr)`, "want and, or"},
		{"User", `emails[type eq "work"`, `want "]"`},
		{"User", `not title pr`, "not"},
		{"User", `()`, "want an attribute"},
		{"User", ``, "want an attribute"},
		{"User", `active gt true`, "gt cannot be evaluated on a boolean"},
		{"User", `active co "t"`, "cannot be evaluated"},
		{"User", `active eq 1`, "want boolean, got number"},
		{"User", `level co 1`, "co cannot be evaluated on a integer"},
		{"User", `level eq "1"`, "want integer, got string"},
		{"User", `level eq 1.5`, "want integer, got 1.5"},
		{"User", `level eq 99999999999999999999`, "want integer"},
		{"User", `hired eq "soon"`, "want dateTime"},
		{"User", `hired sw "2020-01-01T00:00:00Z"`, "cannot be evaluated"},
		{"User", `meta.created eq 5`, "want dateTime"},
		{"User", `title gt null`, "null has no meaning"},
		{"User", `key gt "AAAA"`, `attribute "urn:provost:params:scim:schemas:extension:org:2.0:User:key": gt cannot be evaluated on a binary`},
		{"User", `x509Certificates.value le "AAAA"`, "le cannot be evaluated on a binary"},
		{"User", `key eq "not base64"`, "operator eq: want binary in base64"},
		{"User", `key co "?"`, "operator co: want binary in base64"},
		{"User", `meta.created sw "2020"`, "sw cannot be evaluated on a dateTime"},
		{"User", `meta.location eq 1`, `attribute "meta.location": operator eq: want reference, got number`},
		{"User", `schemas eq true`, `attribute "schemas": operator eq: want string, got boolean`},
		{"User", `userName eq bob`, `attribute "userName": operator eq:`},
		{"Group", `userName eq "x"`, "userName"},
		// RFC 7644, section 7.5.2: secrets must not be guessed by a filter.
		{"User", `password eq "x"`, "password"},
		{"User", `password sw "x"`, "password"},
		{"User", `password pr`, "password"},
		{"User", `secret eq "x"`, "secret"},
		{"User", "title eq \"\xff\"", "UTF-8"},
	} {
		t.Run(c.src, func(t *testing.T) {
			t.Parallel()
			_, err := typ(c.typ).ParseFilter(c.src, Generic)
			wantError(t, err, InvalidFilter, c.mentions)
		})
	}
}

// TestADV58_Filter: injection and bombs are 400.
func TestADV58_Filter(t *testing.T) {
	t.Parallel()
	terms := func(n int, sep string) string {
		return strings.TrimSuffix(strings.Repeat(`title pr`+sep, n), sep)
	}
	for name, src := range map[string]string{
		"injection":               `userName eq "" or 1=1`,
		"quote":                   `userName eq "x" or "1"="1"`,
		"comment":                 `userName eq "x"; --`,
		"10,000 terms":            terms(10_000, " or "),
		"101 terms":               terms(101, " and "),
		"101 terms in brackets":   "emails[" + strings.Repeat(`type pr or `, 100) + "type pr]",
		"1,000 parentheses":       strings.Repeat("(", 1000) + "title pr" + strings.Repeat(")", 1000),
		"33 parentheses":          strings.Repeat("(", 33) + "title pr" + strings.Repeat(")", 33),
		"33 times not":            strings.Repeat("not (", 33) + "title pr" + strings.Repeat(")", 33),
		"longer than 8 kB":        `title eq "` + strings.Repeat("x", 8<<10) + `"`,
		"letter that folds to k":  "\u212Aey pr",
		"attribute in Cyrillic":   `tіtle pr`,
		"complex pr over the cap": strings.TrimSuffix(strings.Repeat("addresses pr or ", 20), " or "),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := typ("User").ParseFilter(src, Generic)
			wantError(t, err, InvalidFilter)
		})
	}
	for _, src := range []string{
		terms(100, " or "), strings.Repeat("(", 32) + "title pr" + strings.Repeat(")", 32),
	} {
		parseFilter(t, "User", src, Generic)
	}
}

func TestDialect_UnquotedFilterValues(t *testing.T) {
	t.Parallel()
	for src, want := range map[string]string{
		`userName eq bob@x.org`:                 `$userName eq "bob@x.org"`,
		`externalId eq 0a21f0f2-8d2a`:           `$externalId eq "0a21f0f2-8d2a"`,
		`employeeNumber eq 701984`:              `enterprise:employeeNumber eq "701984"`,
		`emails[type eq work] and active eq On`: "",
		`emails[type eq work and value eq a@b]`: `emails[and(emails.type eq "work", emails.value eq "a@b")]`,
	} {
		f, err := typ("User").ParseFilter(src, Entra)
		switch {
		case want == "":
			wantError(t, err, InvalidFilter, "active", "want boolean")
		case err != nil:
			t.Errorf("%s: %v", src, err)
		case shape(f.Root) != want:
			t.Errorf("%s: got %s, want %s", src, shape(f.Root), want)
		}
		if _, err := typ("User").ParseFilter(src, Strict); err == nil {
			t.Errorf("%s: Strict takes it", src)
		}
	}
}

// wantReparsed: parse, print, parse is the same filter.
func wantReparsed(t testing.TB, u *Type, f *Filter) {
	t.Helper()
	printed := f.String()
	if len(printed) > maxFilterLength {
		return
	}
	again, err := u.ParseFilter(printed, Generic)
	if err != nil {
		t.Fatalf("printed %s: %v", printed, err)
	}
	if diff := cmp.Diff(f, again, compareNodes); diff != "" {
		t.Fatalf("printed %s (-first +second):\n%s", printed, diff)
	}
	if again.String() != printed {
		t.Fatalf("printed twice\n got %s\nwant %s", again, printed)
	}
}

var compareNodes = cmp.Options{
	cmpopts.IgnoreUnexported(Compare{}, Filter{}),
	cmp.Comparer(func(a, b *AttrRef) bool { return a == b }),
}

func FuzzFilter(f *testing.F) {
	for _, s := range []string{
		`userName eq "x"`, `emails[type eq "work" and value co "@"] or not (title pr)`,
		`urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value ne "x"`,
		`level ge -1 and score lt 1e3 and hired gt "2020-01-01T00:00:00Z"`, `title eq null or tags[value ew "\u00e9"]`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, src string) {
		flt, err := typ("User").ParseFilter(src, Entra)
		if err == nil {
			wantReparsed(t, typ("User"), flt)
		}
	})
}

// TestFilter_AgreesWithIndex: for every value of any resource, the filter that asks for
// it has byte for byte the value that the index, the hot columns and the unique values
// have.
func TestFilter_AgreesWithIndex(t *testing.T) {
	t.Parallel()
	u := typ("User")
	rapid.Check(t, func(t *rapid.T) {
		r := &Resource{Type: u, root: drawRoot(t)}
		index, hot, unique := map[string]bool{}, r.Hot(), map[string]bool{}
		for _, e := range r.Index() {
			index[e.Path+"\x00"+e.Value] = true
		}
		for _, e := range r.Unique() {
			unique[e.Path+"\x00"+e.Value] = true
		}
		r.root.leaves(0, func(n *node, _ int) {
			if n.text == "" || n.attr.Unindexed || n.attr.ref == nil {
				return
			}
			if n.attr.isPrimary() && n.text == "false" { // asked for as the opposite of true
				return
			}
			lit := n.text
			if n.attr.Type != Boolean && n.attr.Type != Integer && n.attr.Type != Decimal {
				lit = string(AppendString(nil, n.text))
			}
			f, err := u.ParseFilter(n.attr.path+" eq "+lit, Strict)
			if err != nil {
				t.Fatalf("%s eq %s: %v", n.attr.path, lit, err)
			}
			c := f.Root.(*Compare)
			found := index[c.Attr.Path+"\x00"+c.Value]
			switch c.Attr.Where {
			case InUserName:
				found = c.Value == hot.UserName
			case InDisplayName:
				found = c.Value == hot.DisplayName
			case InFamilyName:
				found = c.Value == hot.FamilyName
			case InGivenName:
				found = c.Value == hot.GivenName
			}
			if n.attr.Uniqueness != UniqueNone {
				found = found && unique[c.Attr.Path+"\x00"+c.Value]
			}
			if !found {
				t.Fatalf("%s eq %s: the filter has %q, the index %v, hot %v", n.attr.path, lit, c.Value, r.Index(), hot)
			}
		})
	})
}

// TestAttr: sortBy names an attribute as a filter does.
func TestAttr(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]Where{"userName": InUserName, "meta.created": InCreated, "emails": InIndex, enterpriseURN + ":department": InIndex} {
		if a, err := typ("User").Attr(path); err != nil || a.Where != want {
			t.Errorf("%s: got %+v, %v", path, a, err)
		}
	}
	for _, path := range []string{"nosuch", "name", "password", "", userURN, "addresses.formatted"} {
		_, err := typ("User").Attr(path)
		wantError(t, err, InvalidValue)
	}
}

// TestFilter_SubAttributeAfterValuePath: Entra ID writes the filter of a matching
// attribute so. RFC 7644, figure 1, has no such form, and nobody else may use it.
func TestFilter_SubAttributeAfterValuePath(t *testing.T) {
	t.Parallel()
	for src, same := range map[string]string{
		`emails[type eq "work"].value eq "a@b.c"`:                        `emails[type eq "work" and value eq "a@b.c"]`,
		`not (emails[type eq "work"].value eq "a@b.c") and userName pr`:  `not (emails[type eq "work" and value eq "a@b.c"]) and userName pr`,
		`emails[type eq "work" or type eq "home"].value pr`:              `emails[(type eq "work" or type eq "home") and value pr]`,
		`addresses[type eq "work"].locality sw "Par" or userName eq "b"`: `addresses[type eq "work" and locality sw "Par"] or userName eq "b"`,
	} {
		got, want := parseFilter(t, "User", src, Entra), parseFilter(t, "User", same, Entra)
		if shape(got.Root) != shape(want.Root) {
			t.Errorf("%s: got %s, want %s", src, shape(got.Root), shape(want.Root))
		}
		for _, d := range []Dialect{Generic, Strict, Okta} {
			if _, err := typ("User").ParseFilter(src, d); err == nil {
				t.Errorf("%s: accepted by %s", src, d.Name)
			}
		}
	}
	for _, src := range []string{`emails[type eq "work"].`, `emails[type eq "work"].nosuch eq "x"`, `emails[type eq "work"].value`, `emails[type eq "work"].value.x eq "a"`, `emails[type eq "work"] .value eq "a"`} {
		if _, err := typ("User").ParseFilter(src, Entra); err == nil {
			t.Errorf("%s: accepted", src)
		}
	}
}
