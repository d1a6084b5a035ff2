// Command generate writes organisation.ldif: a made-up company of 324 people and 36 groups, always the same one.
//
//	go run ./testdata/ldap/generate.go > testdata/ldap/organisation.ldif
//
// What it is good for: accents and scripts beyond Latin, names with commas in a DN, several mails, missing attributes,
// nested organisational units, a chain of managers, groups in groups. Everyone's password is "ldap-" and the uid.
package main

import (
	"bufio"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
)

const (
	base    = "dc=example,dc=com"
	people  = "ou=people," + base
	groups  = "ou=groups," + base
	persons = 324
)

// name is a given or family name, and its spelling in ASCII for uid and mail.
type name struct{ text, ascii string }

var given = []name{
	{"Ada", "ada"}, {"Zoë", "zoe"}, {"Jörg", "joerg"}, {"Łukasz", "lukasz"}, {"Søren", "soren"}, {"François", "francois"},
	{"Ñusta", "nusta"}, {"Björk", "bjork"}, {"Μαρία", "maria"}, {"Ольга", "olga"}, {"健一", "kenichi"}, {"اسماء", "asma"},
	{"Grace", "grace"}, {"Nguyễn", "nguyen"}, {"Élodie", "elodie"}, {"Siân", "sian"}, {"Đorđe", "djordje"}, {"Ana María", "anamaria"},
}

var family = []name{
	{"Lovelace", "lovelace"}, {"Müller", "mueller"}, {"O'Brien", "obrien"}, {"García Márquez", "garciamarquez"}, {"Šimunić", "simunic"},
	{"Παπαδοπούλου", "papadopoulou"}, {"Иванова", "ivanova"}, {"山田", "yamada"}, {"الخطيب", "alkhatib"}, {"van der Berg", "vanderberg"},
	{"Þórsdóttir", "thorsdottir"}, {"Nowak", "nowak"}, {"Trần", "tran"}, {"Hopper", "hopper"}, {"Sjöström", "sjostrom"}, {"Kaya", "kaya"},
	{"Okonkwo", "okonkwo"}, {"Lindqvist-Ramírez", "lindqvistramirez"},
}

// units are the organisational units of people, parents first.
var units = []string{
	"ou=engineering", "ou=platform,ou=engineering", "ou=identity,ou=platform,ou=engineering", "ou=research,ou=engineering",
	"ou=sales", "ou=emea,ou=sales", "ou=apac,ou=sales", "ou=finance", "ou=Küche & Haus", "ou=contractors",
}

var titles = []string{"Engineer", "Senior Engineer", "Ingénieure", "Account Manager", "Buchhalterin", "Researcher", "Director"}

var places = []struct{ city, state, zip, country, street, language string }{
	{"Zürich", "ZH", "8001", "CH", "Bahnhofstraße 1", "de-CH"}, {"São Paulo", "SP", "01310-100", "BR", "Avenida Paulista 1000", "pt-BR"},
	{"東京", "東京都", "100-0001", "JP", "千代田1-1", "ja"}, {"Kraków", "MA", "31-001", "PL", "Rynek Główny 5", "pl"},
	{"Galway", "G", "H91 XY00", "IE", "12 Shop Street", "en-IE"},
}

type person struct {
	dn, uid, unit, cn string
	lines             [][2]string
}

func main() {
	w := bufio.NewWriter(os.Stdout)
	defer w.Flush()
	entry(w, base, [][2]string{{"objectClass", "dcObject"}, {"objectClass", "organization"}, {"dc", "example"}, {"o", "Example Größe AG"}})
	for _, dn := range append([]string{people, groups}, below(people, units)...) {
		entry(w, dn, [][2]string{{"objectClass", "organizationalUnit"}, {"ou", strings.TrimPrefix(strings.Split(dn, ",")[0], "ou=")}})
	}
	all := makePeople(rand.New(rand.NewPCG(2026, 4)))
	for _, p := range all {
		entry(w, p.dn, p.lines)
	}
	writeGroups(w, all)
}

func below(parent string, rdns []string) []string {
	out := make([]string, len(rdns))
	for i, r := range rdns {
		out[i] = r + "," + parent
	}
	return out
}

func makePeople(r *rand.Rand) []person {
	all := make([]person, persons)
	for i := range all {
		g, f := given[i%len(given)], family[(i/len(given)+i)%len(family)]
		p := person{uid: g.ascii + "." + f.ascii, unit: units[r.IntN(len(units))], cn: g.text + " " + f.text}
		p.dn = "uid=" + p.uid + "," + p.unit + "," + people
		if p.unit == "ou=contractors" { // named by "Family, Given": a comma in the DN
			p.cn = f.text + ", " + g.text
			p.dn = "cn=" + f.text + `\, ` + g.text + "," + p.unit + "," + people
		}
		p.lines = attributes(r, i, p, g, f, all)
		all[i] = p
	}
	return all
}

func attributes(r *rand.Rand, i int, p person, g, f name, all []person) [][2]string {
	place := places[r.IntN(len(places))]
	a := [][2]string{
		{"objectClass", "inetOrgPerson"}, {"uid", p.uid}, {"cn", p.cn}, {"sn", f.text}, {"givenName", g.text},
		{"displayName", g.text + " " + f.text}, {"title", titles[r.IntN(len(titles))]}, {"o", "Example Größe AG"},
		{"ou", strings.TrimPrefix(strings.Split(p.unit, ",")[0], "ou=")}, {"departmentNumber", fmt.Sprintf("D%02d", r.IntN(20))},
		{"employeeType", []string{"employee", "contractor"}[r.IntN(2)]}, {"l", place.city}, {"st", place.state}, {"postalCode", place.zip},
		{"street", place.street}, {"preferredLanguage", place.language}, {"userPassword", ssha(p.uid)},
	}
	if i%81 != 80 { // four people have no mail
		a = append(a, [2]string{"mail", p.uid + "@example.com"})
	}
	if i%7 == 3 {
		a = append(a, [2]string{"mail", p.uid + "@alumni.example.org"}, [2]string{"mail", g.ascii + fmt.Sprint(i) + "@example.com"})
	}
	if i%5 != 4 {
		a = append(a, [2]string{"employeeNumber", fmt.Sprint(10000 + i)})
	}
	if i%3 != 2 {
		a = append(a, [2]string{"telephoneNumber", fmt.Sprintf("+41 44 555 %04d", i)})
	}
	if i%4 == 1 {
		a = append(a, [2]string{"mobile", fmt.Sprintf("+41 79 555 %04d", i)})
	}
	if i%11 == 0 {
		a = append(a, [2]string{"description", " begins with a space: \"" + p.cn + "\"\nand has two lines"})
	}
	if i > 0 { // a tree of managers: six reports each, four levels deep
		a = append(a, [2]string{"manager", all[(i-1)/6].dn})
	}
	return a
}

// ssha is a salted SHA-1 as slapd checks it (RFC 2307); the salt is the uid's, so that the file stays the same.
func ssha(uid string) string {
	salt := sha1.Sum([]byte("salt of " + uid))
	sum := sha1.Sum(append([]byte("ldap-"+uid), salt[:8]...))
	return "{SSHA}" + base64.StdEncoding.EncodeToString(append(sum[:], salt[:8]...))
}

func writeGroups(w *bufio.Writer, all []person) {
	var units10 []string
	for _, u := range units { // one group for each unit, the people of that unit in it
		var members []string
		for _, p := range all {
			if p.unit == u {
				members = append(members, p.dn)
			}
		}
		units10 = append(units10, group(w, strings.TrimPrefix(strings.Split(u, ",")[0], "ou="), "Everyone in "+u, members))
	}
	for i := range 20 { // projects of 5 to 43 people
		var members []string
		for j := 0; j < 5+2*i; j++ {
			members = append(members, all[(i*17+j*7)%len(all)].dn)
		}
		group(w, fmt.Sprintf("project-%02d", i), "", members)
	}
	group(w, "everybody", "All people", dns(all))
	group(w, `R&D\, Zürich`, "A comma and an accent", dns(all[:9]))
	group(w, "東京オフィス", "", dns(all[40:52]))
	group(w, "alone", "One member", dns(all[:1]))
	nested := group(w, "all-engineering", "Groups in a group", units10[:4])
	group(w, "all-company", "Groups in groups in a group", []string{nested, units10[4], all[0].dn})
}

func dns(all []person) []string {
	out := make([]string, len(all))
	for i, p := range all {
		out[i] = p.dn
	}
	return out
}

func group(w *bufio.Writer, cn, description string, members []string) string {
	dn := "cn=" + cn + "," + groups
	lines := [][2]string{{"objectClass", "groupOfNames"}, {"cn", strings.ReplaceAll(cn, `\,`, ",")}}
	if description != "" {
		lines = append(lines, [2]string{"description", description})
	}
	for _, m := range members {
		lines = append(lines, [2]string{"member", m})
	}
	entry(w, dn, lines)
	return dn
}

func entry(w *bufio.Writer, dn string, lines [][2]string) {
	line(w, "dn", dn)
	for _, l := range lines {
		line(w, l[0], l[1])
	}
	fmt.Fprintln(w)
}

// line writes an attribute as RFC 2849 asks: base64 for what is not a SAFE-STRING, folded at 76 bytes.
func line(w *bufio.Writer, name, value string) {
	s := name + ": " + value
	if !safe(value) {
		s = name + ":: " + base64.StdEncoding.EncodeToString([]byte(value))
	}
	for len(s) > 76 {
		fmt.Fprintln(w, s[:76])
		s = " " + s[76:]
	}
	fmt.Fprintln(w, s)
}

func safe(v string) bool {
	if v == "" || strings.ContainsRune(" :<", rune(v[0])) || strings.HasSuffix(v, " ") {
		return false
	}
	return strings.IndexFunc(v, func(r rune) bool { return r > 126 || r < 32 }) < 0
}
