package seed

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/internal/id"
	"github.com/provost-id/provost/schemas"
)

// reports is how many people a manager has.
const reports = 8

// epoch is when the first person joined; the last did ten years later.
var epoch = time.Date(2016, 1, 4, 8, 0, 0, 0, time.UTC)

const decade = 10 * 365 * 24 * time.Hour

// maker makes the people and groups of one seed.
type maker struct {
	seed  uint64
	users int
	typ   *schemas.Type
}

// draw is what is drawn for one person or group, from its number alone.
func (m *maker) draw(kind uint64, n int) *rand.Rand {
	return rand.New(rand.NewPCG(m.seed<<8|kind, uint64(n)))
}

const (
	ofPerson = iota + 1
	ofID
	ofGroup
	ofGroupID
	ofMembers
)

// idOf is the ID of the n-th person or group: that of the moment when it was made, and
// digits from the seed.
func (m *maker) idOf(prefix string, kind uint64, n int) string {
	const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	b := []byte(id.NewAt(prefix, m.joined(n)))
	r := m.draw(kind, n)
	for i := len(b) - 9; i < len(b); i++ {
		b[i] = alphabet[r.IntN(len(alphabet))]
	}
	return string(b)
}

func (m *maker) userID(n int) string { return m.idOf(id.User, ofID, n) }

// joined is when the n-th person came.
func (m *maker) joined(n int) time.Time {
	return epoch.Add(decade / time.Duration(max(m.users, 1)) * time.Duration(n)).Truncate(time.Millisecond)
}

// manager is the number of somebody's manager, -1 for nobody: everybody reports to
// somebody who came before, up to the first.
func manager(n int) int {
	if n == 0 {
		return -1
	}
	return (n - 1) / reports
}

// level is how many managers are above somebody.
func level(n int) int {
	l := 0
	for ; n > 0; n = manager(n) {
		l++
	}
	return l
}

// unitOf is the department: that of the manager below the first few.
func (m *maker) unitOf(n int) unit {
	for n > len(units) {
		n = manager(n)
	}
	return units[n%len(units)]
}

type value struct {
	Value   string `json:"value"`
	Type    string `json:"type,omitempty"`
	Primary bool   `json:"primary,omitempty"`
	Display string `json:"display,omitempty"`
}

type address struct {
	Type     string `json:"type"`
	Street   string `json:"streetAddress"`
	Locality string `json:"locality"`
	Region   string `json:"region"`
	Postal   string `json:"postalCode"`
	Country  string `json:"country"`
	Primary  bool   `json:"primary,omitempty"`
}

// body is a person as a SCIM client would send one.
type body struct {
	UserName     string            `json:"userName"`
	ExternalID   string            `json:"externalId,omitempty"`
	Name         map[string]string `json:"name,omitempty"`
	DisplayName  string            `json:"displayName,omitempty"`
	NickName     string            `json:"nickName,omitempty"`
	Title        string            `json:"title,omitempty"`
	UserType     string            `json:"userType,omitempty"`
	Language     string            `json:"preferredLanguage,omitempty"`
	Locale       string            `json:"locale,omitempty"`
	Timezone     string            `json:"timezone,omitempty"`
	Emails       []value           `json:"emails,omitempty"`
	Phones       []value           `json:"phoneNumbers,omitempty"`
	Addresses    []address         `json:"addresses,omitempty"`
	Roles        []value           `json:"roles,omitempty"`
	Entitlements []value           `json:"entitlements,omitempty"`
	Photos       []value           `json:"photos,omitempty"`
	Enterprise   map[string]any    `json:"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User,omitempty"`
}

// person makes the n-th person.
func (m *maker) person(n int) (directory.UserToCreate, error) {
	r := m.draw(ofPerson, n)
	c := pickCulture(r)
	given, family := pick(r, c.given), pick(r, c.family)
	login := fmt.Sprintf("%s.%d@%s", ascii(given, family), n+1, pick(r, workDomains))
	b := body{UserName: login, ExternalID: fmt.Sprintf("hr-%07d", n+1)}
	if shape := r.IntN(100); shape >= 4 { // a few are known by their login alone
		m.fill(&b, r, n, c, given, family)
		if shape >= 90 {
			m.enrich(&b, r)
		}
	}
	text, err := json.Marshal(b)
	if err != nil {
		return directory.UserToCreate{}, err
	}
	res, err := m.typ.Parse(text, schemas.Generic)
	if err != nil {
		return directory.UserToCreate{}, fmt.Errorf("person %d: %w", n, err)
	}
	status, joined := pickStatus(r), m.joined(n)
	o := &directory.Origin{ID: m.userID(n), Created: joined, Modified: joined.Add(time.Duration(r.IntN(1000)) * time.Hour), StatusChanged: joined}
	if status != directory.Staged {
		o.Activated = joined
	}
	return directory.UserToCreate{Resource: res, Options: directory.CreateOptions{Status: status, Origin: o}}, nil
}

// fill is what most people have.
func (m *maker) fill(b *body, r *rand.Rand, n int, c culture, given, family string) {
	p, u, up := pick(r, places), m.unitOf(n), manager(n)
	whole := strings.TrimSpace(given + " " + family)
	if c.familyFirst {
		whole = family + " " + given
	}
	b.Name = map[string]string{"givenName": given, "formatted": whole}
	if family != "" {
		b.Name["familyName"] = family
	}
	b.DisplayName, b.Title = whole, u.titles[min(level(n), len(u.titles)-1)]
	b.UserType = []string{"Employee", "Employee", "Employee", "Employee", "Contractor", "Intern"}[r.IntN(6)]
	b.Language, b.Locale, b.Timezone = c.language, p.locale, p.timezone
	b.Emails = []value{{Value: b.UserName, Type: "work", Primary: true}}
	if r.IntN(10) < 4 {
		b.Emails = append(b.Emails, value{Value: fmt.Sprintf("%s%d@%s", ascii(given, ""), n%9973, pick(r, homeDomains)), Type: "home"})
	}
	b.Phones = []value{{Value: p.number(r), Type: "work", Primary: true}}
	if r.IntN(10) < 6 {
		b.Phones = append(b.Phones, value{Value: p.number(r), Type: "mobile"})
	}
	if r.IntN(10) < 7 {
		b.Addresses = []address{p.address(r, "work", true)}
	}
	b.Enterprise = map[string]any{
		"employeeNumber": fmt.Sprintf("E%07d", n+1), "department": u.name, "division": u.division,
		"costCenter": fmt.Sprint(4000 + 10*(n%97)), "organization": "Example Industries",
	}
	if up >= 0 {
		b.Enterprise["manager"] = map[string]string{"value": m.userID(up)}
	}
}

// enrich is what few people have: many values of everything.
func (m *maker) enrich(b *body, r *rand.Rand) {
	p := pick(r, places)
	b.NickName = strings.ToUpper(b.UserName[:1]) + "."
	for _, kind := range []string{"other", "home"}[:1+r.IntN(2)] {
		b.Emails = append(b.Emails, value{Value: fmt.Sprintf("%s.%s%d@%s", kind, "box", r.IntN(1_000_000), pick(r, homeDomains)), Type: kind})
	}
	for _, kind := range []string{"fax", "pager", "other"} {
		b.Phones = append(b.Phones, value{Value: p.number(r), Type: kind})
	}
	b.Addresses = append(b.Addresses, p.address(r, "home", false))
	b.Roles = []value{{Value: "keyholder", Display: "Key holder"}, {Value: "first-aider", Display: "First aider"}}[:1+r.IntN(2)]
	for i := range 1 + r.IntN(4) {
		b.Entitlements = append(b.Entitlements, value{Value: fmt.Sprintf("area-%d-%d", i, r.IntN(40))})
	}
	b.Photos = []value{{Value: fmt.Sprintf("https://photos.example/%d.jpg", r.IntN(1_000_000)), Type: "photo"}}
}

func (p place) number(r *rand.Rand) string {
	var digits strings.Builder
	for range p.digits {
		digits.WriteByte(byte('0' + r.IntN(10)))
	}
	return fmt.Sprintf(p.phone, digits.String())
}

func (p place) address(r *rand.Rand, kind string, primary bool) address {
	return address{Type: kind, Street: fmt.Sprintf(p.street, 1+r.IntN(180)), Locality: p.town, Region: p.region, Postal: p.postal, Country: p.country, Primary: primary}
}

func pick[T any](r *rand.Rand, of []T) T { return of[r.IntN(len(of))] }

func pickCulture(r *rand.Rand) culture {
	total := 0
	for _, c := range cultures {
		total += c.weight
	}
	n := r.IntN(total)
	for _, c := range cultures {
		if n -= c.weight; n < 0 {
			return c
		}
	}
	return cultures[0]
}

// pickStatus: nearly all are active, and a few are in each other state that lasts.
func pickStatus(r *rand.Rand) directory.Status {
	switch n := r.IntN(100); {
	case n < 2:
		return directory.Staged
	case n < 4:
		return directory.Suspended
	case n < 6:
		return directory.Deprovisioned
	}
	return directory.Active
}

// ascii is a name as the part of an address before the @: what has no Latin letters is
// left to the number that follows.
func ascii(given, family string) string {
	var parts []string
	for _, name := range []string{given, family} {
		var b strings.Builder
		for _, c := range norm.NFD.String(strings.ToLower(name)) {
			switch {
			case c >= 'a' && c <= 'z':
				b.WriteRune(c)
			case unicode.Is(unicode.Mn, c):
			case latin[c] != "":
				b.WriteString(latin[c])
			}
		}
		if b.Len() > 0 {
			parts = append(parts, b.String())
		}
	}
	if len(parts) == 0 {
		return "staff"
	}
	return strings.Join(parts, ".")
}

// latin are letters that do not come apart into a letter and a mark.
var latin = map[rune]string{'ß': "ss", 'ø': "o", 'ł': "l", 'đ': "d", 'ı': "i", 'æ': "ae", 'œ': "oe", 'þ': "th"}
