package schemas

import (
	"fmt"
	"strings"
	"testing"
)

// contract is the table of the 31 base attributes as the management API's contract has
// it: name, required, min-max, format, self permission, SCIM path.
const contract = `
login | yes | 5-100 | email | READ_WRITE | userName
firstName | yes | 1-50 | | READ_WRITE | name.givenName
lastName | yes | 1-50 | | READ_WRITE | name.familyName
middleName | | 0-0 | | READ_ONLY | name.middleName
honorificPrefix | | 0-0 | | READ_ONLY | name.honorificPrefix
honorificSuffix | | 0-0 | | READ_ONLY | name.honorificSuffix
email | yes | 5-100 | email | READ_WRITE | emails[primary eq true].value
title | | 0-0 | | READ_ONLY | title
displayName | | 0-0 | | READ_ONLY | displayName
nickName | | 0-0 | | READ_ONLY | nickName
profileUrl | | 0-0 | uri | READ_ONLY | profileUrl
secondEmail | | 5-100 | email | READ_WRITE | emails[type eq "other"].value
mobilePhone | | 0-100 | | READ_WRITE | phoneNumbers[type eq "mobile"].value
primaryPhone | | 0-100 | | HIDE | phoneNumbers[primary eq true].value
streetAddress | | 0-1024 | | HIDE | addresses[primary eq true].streetAddress
city | | 0-128 | | HIDE | addresses[primary eq true].locality
state | | 0-128 | | HIDE | addresses[primary eq true].region
zipCode | | 0-50 | | HIDE | addresses[primary eq true].postalCode
countryCode | | 0-2 | country-code | HIDE | addresses[primary eq true].country
postalAddress | | 0-4096 | | HIDE | addresses[primary eq true].formatted
preferredLanguage | | 0-0 | language-code | READ_ONLY | preferredLanguage
locale | | 0-0 | locale | READ_ONLY | locale
timezone | | 0-0 | timezone | READ_ONLY | timezone
userType | | 0-0 | | READ_ONLY | userType
employeeNumber | | 0-0 | | READ_ONLY | ENT:employeeNumber
costCenter | | 0-0 | | READ_ONLY | ENT:costCenter
organization | | 0-0 | | READ_ONLY | ENT:organization
division | | 0-0 | | READ_ONLY | ENT:division
department | | 0-0 | | READ_ONLY | ENT:department
managerId | | 0-0 | | READ_ONLY | ENT:manager.value
manager | | 0-0 | | READ_ONLY | ENT:manager.displayName
`

func TestBaseAttributes_Contract(t *testing.T) {
	t.Parallel()
	lines := strings.Split(strings.TrimSpace(contract), "\n")
	bases := BaseAttributes()
	if len(bases) != 31 || len(lines) != 31 {
		t.Fatalf("got %d base attributes, want 31", len(bases))
	}
	for i, b := range bases {
		required := ""
		if b.Required {
			required = "yes"
		}
		got := strings.Join([]string{
			b.Name, required, fmt.Sprintf("%d-%d", b.Min, b.Max), b.Format, b.Self,
			strings.ReplaceAll(b.Path, enterpriseURN, "ENT"),
		}, " | ")
		want := strings.ReplaceAll(lines[i], "|  |", "| |")
		if strings.ReplaceAll(got, "|  |", "| |") != want {
			t.Errorf("base attribute %d\n got %s\nwant %s", i+1, got, want)
		}
		if b.Type != "string" || b.Title == "" {
			t.Errorf("%s: type %q, title %q", b.Name, b.Type, b.Title)
		}
	}
}

// TestBaseAttributes_Paths: each path is a PATCH path of the user, and what a patch
// writes there is what the profile shows.
func TestBaseAttributes_Paths(t *testing.T) {
	t.Parallel()
	for _, b := range BaseAttributes() {
		r := parse(t, "User", `{"userName":"a"}`, Generic)
		p := mustPatch(t, r, Generic, fmt.Sprintf(`{"op":"add","path":%q,"value":"FR"}`, b.Path))
		if got := p.Profile()[b.Name]; got != "FR" {
			t.Errorf("%s at %s: profile has %v", b.Name, b.Path, got)
		}
		if err := r.SetProfile(map[string]any{b.Name: sample(b)}); err != nil {
			t.Errorf("%s: %v", b.Name, err)
		}
		if got := r.Profile()[b.Name]; got != sample(b) {
			t.Errorf("%s: got %v, want %v", b.Name, got, sample(b))
		}
	}
}

// sample is a valid value of a base attribute.
func sample(b BaseAttribute) string {
	switch b.Format {
	case "email":
		return "babs@example.com"
	case "uri":
		return "https://example.com/babs"
	case "country-code":
		return "FR"
	case "language-code":
		return "fr-CA, fr;q=0.8"
	case "locale":
		return "fr_CA"
	case "timezone":
		return "America/Toronto"
	default:
		return "value of " + b.Name
	}
}

func TestCheckFormat(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ format, good, bad string }{
		{"email", "isáàc@bröck.example", "isaac"},
		{"email", "a@b", "a b@c.d"},
		{"email", "a.b+c@d-e.f", "a@-b.c"},
		{"email", "o'hara@x.y", "a@b@c"},
		{"email", "x@y.z", "@y.z"},
		{"email", "x@y.z", "x@y..z"},
		{"email", "x@y.z", "x@"},
		{"uri", "https://x/y", "/x/y"},
		{"country-code", "CH", "ZZZ"},
		{"country-code", "JP", "European Union"},
		{"language-code", "de-CH", "no language"},
		{"locale", "de_CH", "de-CH"},
		{"locale", "en_US", "en_XX1"},
		{"timezone", "Europe/Zurich", "Europe/Nowhere"},
		{"timezone", "UTC", "../etc/passwd"},
		{"date-time", "2020-02-29T00:00:00Z", "2021-02-29T00:00:00Z"},
	} {
		if err := CheckFormat(c.format, c.good); err != nil {
			t.Errorf("%s: %v", c.format, err)
		}
		if err := CheckFormat(c.format, c.bad); err == nil {
			t.Errorf("%s: %q has passed", c.format, c.bad)
		}
	}
	if err := CheckFormat("ref-id", "anything"); err != nil {
		t.Error(err)
	}
}
