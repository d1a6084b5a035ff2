package scim_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/schemas"
)

const enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

// find returns the userNames that a filter finds, by GET and by .search alike.
func (c *client) find(filter string) string {
	c.t.Helper()
	got := c.must(http.StatusOK, "GET", "/Users?filter="+url.QueryEscape(filter), "")
	names := []string{}
	for _, r := range got.resources() {
		name, _ := r["userName"].(string)
		names = append(names, name)
	}
	if got.body["totalResults"] != float64(len(names)) {
		c.t.Errorf("%s: totalResults %v of %d", filter, got.body["totalResults"], len(names))
	}
	posted := c.must(http.StatusOK, "POST", "/Users/.search", searchBody(filter))
	if len(posted.resources()) != len(names) {
		c.t.Errorf("%s: %d by GET, %d by .search", filter, len(names), len(posted.resources()))
	}
	return strings.Join(names, " ")
}

func searchBody(filter string) string {
	text, _ := json.Marshal(filter)
	return `{"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],"filter":` + string(text) + `}`
}

// useTypes puts a schema in force that has attributes of types that the core has not.
func (s *service) useTypes() {
	types := schemas.Default()
	types[0].Extensions[1].Schema.Attributes = []schemas.Attribute{
		{Name: "level", Type: schemas.Integer}, {Name: "score", Type: schemas.Decimal}, {Name: "hired", Type: schemas.DateTime},
		{Name: "key", Type: schemas.Binary}, {Name: "tags", Type: schemas.String, MultiValued: true},
	}
	snapshot, err := schemas.Compile(s.dir.Schemas().Version, types)
	if err != nil {
		s.t.Fatal(err)
	}
	s.schema.Store(snapshot)
}

func (s *service) exec(statement string) {
	s.t.Helper()
	err := s.dir.DB.Write(context.Background(), func(tx *sqldb.Tx) error {
		_, err := tx.Exec(statement)
		return err
	})
	if err != nil {
		s.t.Fatalf("%s: %v", statement, err)
	}
}

// TestRFC7644_3_4_2_2_Found: filters that others get wrong, each with one hit of two.
func TestRFC7644_3_4_2_2_Found(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		s.useTypes()
		id := c.create("/Users", `{"userName":"ana","externalId":"E-1","title":"caf\u00e9","name":{"givenName":"Ana"},
			"emails":[{"value":"ana@x.example","type":"work"},{"value":"ana@y.example","type":"home"}],
			"photos":[{"value":"https://p.example/ana","type":"photo"}],"addresses":[{"formatted":"1 Main Street","type":"work"}],
			"x509Certificates":[{"value":"MIIB"}],"`+enterprise+`":{"department":"Tools","manager":{"value":"m-1"}}}`)
		c.create("/Users", `{"userName":"bob","active":false,"emails":[{"value":"bob@y.example","type":"work"},{"value":"bob@x.example","type":"home"}]}`)
		c.must(http.StatusOK, "PUT", "/Users/"+id, c.must(http.StatusOK, "GET", "/Users/"+id, "").raw[:1]+`"nickName":"A",`+c.must(http.StatusOK, "GET", "/Users/"+id, "").raw[1:])
		user := c.must(http.StatusOK, "GET", "/Users/"+id, "")
		meta := func(name string) string { v, _ := at(user.body, "meta", name).(string); return v }
		for _, filter := range []string{
			`userName eq "ana"`, `USERNAME Eq "ANA"`, `userName eq "Áná"`, `name.givenName sw "a"`, `externalId eq "E-1"`, `active eq true`, `not (active eq false)`, `title pr`,
			`urn:ietf:params:scim:schemas:core:2.0:User:userName eq "ana"`, `emails[type eq "work" and value co "x.example"]`,
			`emails.value eq "ana@x.example"`, `emails eq "ana@x.example"`, `emails co "ana"`,
			enterprise + `:department eq "tools"`, `department eq "tools"`, `manager.value eq "m-1"`, enterprise + `:manager eq "m-1"`,
			`userName sw "a" and ` + enterprise + `:department eq "Tools"`,
			`id eq "` + id + `"`, `id sw "00u" and userName eq "ana"`, `meta.version eq "W/\"2\""`, `meta.version sw "W/\"2"`, `meta.version gt "W/\"1\""`,
			`meta.created le "` + meta("created") + `" and not (emails.value sw "bob")`, `meta.lastModified ge "` + meta("lastModified") + `"`,
			`meta.location eq "` + meta("location") + `"`, `meta.location ew "` + id + `"`, `meta.location co "/Users/` + id + `"`,
			`meta.resourceType eq "User" and userName eq "ana"`, `meta.resourceType co "se" and userName eq "ana"`,
			`schemas eq "` + enterprise + `"`, `schemas ew "enterprise:2.0:USER"`, `schemas[value co "enterprise"]`, enterprise + ` pr`,
			`nickName ne null`, `not (title eq null)`, `title eq "caf\u00e9"`, `title eq "CAFÉ"`, `  userName   eq   "ana"  `, `(title pr)and(emails pr)`,
			`addresses.formatted eq "1 main street"`, `addresses.formatted co "MAIN"`, `photos.value sw "https://p.example/"`, `photos[value ew "ana" and type eq "photo"]`,
			`x509Certificates.value eq "MIIB"`, `x509Certificates.value sw "MI"`, `x509Certificates pr`,
		} {
			if got := c.find(filter); got != "ana" {
				t.Errorf("%s finds %q", filter, got)
			}
		}
		for _, filter := range []string{
			`emails[type eq "work" and value co "bob@x"]`, `userName eq "\" or 1=1 --"`, `title eq "x' OR '1'='1"`, `title co "%"`, `meta.resourceType eq "user"`,
			`meta.location eq "https://other.example/scim/v2/Users/` + id + `"`, `meta.location eq "` + id + `"`, `schemas eq "urn:nosuch"`, `userName sw ""and title eq null and userName eq "ana"`,
		} {
			if got := c.find(filter); got != "" {
				t.Errorf("%s finds %q", filter, got)
			}
		}
	})
}

// TestRFC7644_3_4_2_2_Refused: what cannot be evaluated is said so, with the attribute,
// the operator and the type where there are such, and never an empty list.
func TestRFC7644_3_4_2_2_Refused(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		s.useTypes()
		for _, x := range []struct {
			filter string
			words  []string
		}{
			{`nosuch eq "x"`, []string{"nosuch", "User"}},
			{`emails.nosuch eq "x"`, []string{"emails.nosuch"}},
			{`emails[nosuch eq "a"]`, []string{"emails.nosuch"}},
			{`emails[type eq "work"].value eq "x"`, []string{"inside the brackets"}},
			{`name eq "x"`, []string{"name", "complex"}},
			{`userName in ("a")`, []string{"userName", `"in"`}},
			{`userName eq 5`, []string{"userName", "eq", "string", "number"}},
			{`userName eq bob`, []string{"userName", "eq", "bob"}},
			{`userName eq`, []string{"userName", "eq"}},
			{`active gt true`, []string{"active", "gt", "boolean"}},
			{`active co "t"`, []string{"active", "co", "boolean"}},
			{`active eq "maybe"`, []string{"active", "eq", "boolean", "string"}},
			{`level eq "1"`, []string{"level", "eq", "integer", "string"}},
			{`level eq 99999999999999999999`, []string{"level", "eq", "integer"}},
			{`level sw 1`, []string{"level", "sw", "integer"}},
			{`score co 1`, []string{"score", "co", "decimal"}},
			{`hired gt "yesterday"`, []string{"hired", "gt", "dateTime"}},
			{`key lt "AAAA"`, []string{"key", "lt", "binary"}},
			{`x509Certificates.value ge "AAAA"`, []string{"x509Certificates.value", "ge", "binary"}},
			{`key eq "?"`, []string{"key", "eq", "binary"}},
			{`meta.created sw "2020"`, []string{"meta.created", "sw", "dateTime"}},
			{`title gt null`, []string{"title", "gt", "null"}},
			{`password eq "x"`, []string{"password"}},
			{`password pr`, []string{"password"}},
		} {
			c.refused(http.StatusBadRequest, schemas.InvalidFilter, "GET", "/Users?filter="+url.QueryEscape(x.filter), "", x.words...)
			c.refused(http.StatusBadRequest, schemas.InvalidFilter, "POST", "/Users/.search", searchBody(x.filter), x.words...)
		}
	})
}

// TestRFC7644_3_4_2_2_EveryOperator asks every operator of every attribute that /Schemas
// tells of. Only order on booleans and binaries (table 3), substrings of what is no
// text, and passwords (section 7.5.2) are refused.
func TestRFC7644_3_4_2_2_EveryOperator(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		s.useTypes()
		for _, typ := range []string{"User", "Group"} {
			for name, def := range attributesOf(c, typ) {
				for _, op := range []string{"eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le", "pr"} {
					askOperator(t, c, typ, name, op, def)
				}
			}
		}
	})
}

func askOperator(t *testing.T, c *client, typ, name, op string, def map[string]any) {
	t.Helper()
	kind, _ := def["type"].(string)
	value := map[string]string{"boolean": "true", "integer": "1", "decimal": "1.5", "dateTime": `"2020-01-01T00:00:00+01:00"`, "binary": `"AAAA"`}[kind]
	if value == "" {
		value = `"x"`
	}
	filter := name + " " + op + " " + value
	if op == "pr" {
		filter = name + " pr"
	}
	refused := def["returned"] == "never" ||
		slices.Contains([]string{"gt", "ge", "lt", "le"}, op) && (kind == "boolean" || kind == "binary") ||
		slices.Contains([]string{"co", "sw", "ew"}, op) && slices.Contains([]string{"boolean", "integer", "decimal", "dateTime"}, kind)
	r := c.do("GET", "/"+typ+"s?count=1&filter="+url.QueryEscape(filter), "")
	switch {
	case refused:
		checkError(t, filter, r, http.StatusBadRequest, schemas.InvalidFilter)
	case r.status != http.StatusOK:
		t.Errorf("%s: %d %s", filter, r.status, r.raw)
	}
}

// attributesOf are the simple attributes of a type by name, from discovery, and those
// that every resource has (RFC 7643, section 3.1).
func attributesOf(c *client, typ string) map[string]map[string]any {
	all := map[string]map[string]any{"id": {"type": "string"}, "externalId": {"type": "string"}, "schemas": {"type": "string"}}
	for name, kind := range map[string]string{"resourceType": "string", "created": "dateTime", "lastModified": "dateTime", "location": "reference", "version": "string"} {
		all["meta."+name] = map[string]any{"type": kind}
	}
	of := c.must(http.StatusOK, "GET", "/ResourceTypes/"+typ, "").body
	urns := []any{of["schema"]}
	extensions, _ := of["schemaExtensions"].([]any)
	for _, x := range extensions {
		urns = append(urns, at(x, "schema"))
	}
	for _, urn := range urns {
		addAttributes(all, fmt.Sprint(urn)+":", c.must(http.StatusOK, "GET", "/Schemas/"+fmt.Sprint(urn), "").body["attributes"])
	}
	return all
}

func addAttributes(all map[string]map[string]any, prefix string, list any) {
	attributes, _ := list.([]any)
	for _, a := range attributes {
		def, _ := a.(map[string]any)
		name := prefix + fmt.Sprint(def["name"])
		if def["type"] == "complex" {
			addAttributes(all, name+".", def["subAttributes"])
			continue
		}
		all[name] = def
	}
}

// TestADV58_Filter: injection, bombs and tricks are 400 invalidFilter, with the limit
// that is passed, and never an empty list.
func TestADV58_Filter(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		c.create("/Users", `{"userName":"kim@example.com","title":"x"}`)
		terms := func(n int) string { return strings.Repeat(`title eq "x" or `, n-1) + `title eq "x"` }
		for filter, word := range map[string]string{
			`userName eq "" or 1=1`: "1=1", `userName eq "a" or 1=1 --"`: "1=1", `userName eq "a"; DROP TABLE resources`: ";", `userName eq "a" or "1"="1"`: "attribute",
			terms(10_000): "8192 bytes", strings.Repeat("title pr or ", 100) + "title pr": "100 comparisons",
			strings.Repeat("(", 1000) + `title pr` + strings.Repeat(")", 1000): "deeper than 32", strings.Repeat("not (", 100) + "title pr" + strings.Repeat(")", 100): "deeper than 32",
			`title eq "` + strings.Repeat("x", 8192) + `"`: "8192 bytes",
			"\u212Aey pr": "\u212Aey", "u\u0455erName eq \"x\"": "u\u0455erName", "user\u017Fame pr": "user\u017Fame", // a Kelvin sign, Cyrillic, a long s
			`nosuch eq "x"`: "nosuch", `emails[]`: "attribute", `userName`: "operator", `userName like "x"`: "like", `(userName pr`: ")", `userName pr userName pr`: "or",
			`userName eq "a\u0000b"`: "string", `userName eq "\ud800"`: "string", `userName eq "x`: "string", `meta.created gt 99999999999999999999`: "dateTime",
		} {
			c.refused(http.StatusBadRequest, schemas.InvalidFilter, "GET", "/Users?filter="+url.QueryEscape(filter), "", word)
			c.refused(http.StatusBadRequest, schemas.InvalidFilter, "POST", "/Users/.search", searchBody(filter), word)
		}
		for _, filter := range []string{strings.Repeat(`title eq "y" or `, 99) + `title eq "x"`, strings.Repeat("(", 32) + `title pr` + strings.Repeat(")", 32), "userName sw \"\u212Aim\"", `USERNAME EQ "KIM@example.com"`} {
			if got := c.find(filter); got != "kim@example.com" { // a Kelvin sign folds to k in a value
				t.Errorf("%s finds %q", clip(filter), got)
			}
		}
	})
}

// TestRFC7644_3_12_TooMany: what no index answers is looked at within limits, which
// another term keeps (RFC 7644, table 9).
func TestRFC7644_3_12_TooMany(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		c.create("/Users", `{"userName":"ana","addresses":[{"formatted":"1 Main Street"}]}`)
		numbers := "(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 10001) SELECT i FROM n) n"
		for _, statement := range []string{
			`INSERT INTO resources (rid, id, type, version, status, active, created, modified, status_changed, user_name)
				SELECT 1000+i, '00ux' || i, 'User', 1, 'ACTIVE', TRUE, i, i, i, 'user' || i FROM ` + numbers,
			`INSERT INTO documents (rid, doc) SELECT 1000+i, '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"user' || i || '","addresses":[{"formatted":"' || i || ' Long Street"}]}' FROM ` + numbers,
			`INSERT INTO attribute_values (path, val, rid, elem) SELECT 'addresses.formatted', '', 1000+i, 0 FROM ` + numbers,
		} {
			s.exec(statement)
		}
		for _, filter := range []string{`addresses.formatted co "Main"`, `not (addresses.formatted co "Main")`, `addresses[formatted co "Main" and not (type pr)]`, `title pr or addresses.formatted eq "x"`} {
			c.refused(http.StatusBadRequest, schemas.TooMany, "GET", "/Users?filter="+url.QueryEscape(filter), "", "addresses.formatted", "10000", "string")
		}
		for filter, want := range map[string]string{
			`addresses.formatted co "Main" and userName sw "a"`: "ana", `addresses.formatted eq "77 long street" and userName eq "user77"`: "user77",
			`userName sw "user999" and not (addresses.formatted sw "9990") and addresses.formatted ew "999 long street"`: "user999 user9999",
		} {
			if got := c.find(filter); got != want {
				t.Errorf("%s finds %q, want %q", filter, got, want)
			}
		}
	})
}
