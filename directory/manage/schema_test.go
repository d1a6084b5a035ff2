package manage_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	userSchema = "/meta/schemas/user/default"
	scimAPI    = "/meta/schemas/scim"
)

// customSchema is the body of a POST with custom properties.
func customSchema(properties string) string {
	return `{"definitions":{"custom":{"id":"#custom","type":"object","properties":{` + properties + `}}}}`
}

func (s *service) define(properties string) reply {
	s.t.Helper()
	return s.must(http.StatusOK, "POST", userSchema, customSchema(properties))
}

func (s *service) badSchema(code, properties string, words ...string) {
	s.t.Helper()
	s.refused(http.StatusBadRequest, code, "POST", userSchema, customSchema(properties), words...)
}

func property(r reply, name string) any {
	return at(r.body, "definitions", "custom", "properties", name)
}

// Every key of a property comes back as it was given, and what was read can be sent back.
func TestUserSchema_Keys(t *testing.T) {
	each(t, func(t *testing.T, s *service) {
		app, _ := at(s.must(http.StatusOK, "GET", userSchema, "").body, "id").(string)
		if app == "" {
			t.Error("the schema has no id")
		}
		for name, property1 := range map[string]string{
			"plain":  `{"title":"plain","type":"string"}`,
			"texts":  `{"title":"T","description":"D","type":"string","externalName":"x","externalNamespace":"urn:x"}`,
			"length": `{"title":"L","type":"string","minLength":1,"maxLength":20,"pattern":"^[a-z]+$"}`,
			"number": `{"title":"N","type":"number","minimum":0.5,"maximum":10}`,
			"whole":  `{"title":"W","type":"integer","minimum":-3,"enum":[1,2,3],"oneOf":[{"const":1,"title":"one"},{"const":2,"title":"two"},{"const":3,"title":"three"}]}`,
			"size":   `{"title":"S","type":"string","enum":["S","M"],"oneOf":[{"const":"S","title":"Small"},{"const":"M","title":"Middle"}],"default":"M"}`,
			"sizes":  `{"title":"A","type":"array","items":{"type":"string","enum":["a","b"],"oneOf":[{"const":"a","title":"A"},{"const":"b","title":"B"}]}}`,
			"scores": `{"title":"A","type":"array","items":{"type":"number"},"union":"DISABLE"}`,
			"yes":    `{"title":"Y","type":"boolean","default":true}`,
			"since":  `{"title":"D","type":"string","format":"date-time"}`,
			"mine":   `{"title":"M","type":"string","permissions":[{"principal":"SELF","action":"READ_WRITE"}],"mutability":"IMMUTABLE"}`,
			"fixed":  `{"title":"F","type":"string","mutability":"READ_ONLY","master":{"type":"OKTA"}}`,
			"secret": `{"title":"S","type":"string","mutability":"WRITE_ONLY","permissions":[{"principal":"SELF","action":"HIDE"}]}`,
			"sealed": `{"title":"S","type":"string","format":"encrypted","permissions":[{"principal":"SELF","action":"HIDE"}]}`,
			"long":   `{"title":"L","type":"string","maxLength":5000,"index":false}`,
			"single": `{"title":"U","type":"string","unique":"UNIQUE_VALIDATED"}`,
		} {
			r := s.define(fmt.Sprintf(`%q:%s`, name, property1))
			var want map[string]any
			if err := json.Unmarshal([]byte(property1), &want); err != nil {
				t.Fatal(err)
			}
			for key, v := range map[string]any{
				"mutability": "READ_WRITE", "scope": "NONE", "master": map[string]any{"type": "PROFILE_MASTER"},
				"permissions": []any{map[string]any{"principal": "SELF", "action": "READ_ONLY"}},
			} {
				if _, said := want[key]; !said {
					want[key] = v
				}
			}
			if diff := cmp.Diff(want, property(r, name)); diff != "" {
				t.Errorf("%s:\n%s", name, diff)
			}
		}
		shown := s.must(http.StatusOK, "GET", userSchema, "")
		again := s.must(http.StatusOK, "POST", userSchema, shown.raw)
		if diff := cmp.Diff(shown.body, again.body); diff != "" {
			t.Errorf("what was read, sent back:\n%s", diff)
		}
		if r := s.must(http.StatusOK, "GET", "/meta/schemas/operations", ""); r.raw != "[]\n" {
			t.Errorf("there are operations for attributes that are new: %s", r.raw)
		}
		s.define(`"texts":{"title":"Other","description":null}`)
		if r := s.define(`"plain":null,"none":null`); property(r, "plain") != nil || at(property(r, "texts"), "title") != "Other" || at(property(r, "texts"), "description") != nil || at(property(r, "texts"), "externalName") != "x" {
			t.Errorf("merged: %s", r.raw)
		}
	})
}

func TestUserSchema_Refused(t *testing.T) {
	each(t, func(t *testing.T, s *service) {
		s.define(`"badge":{"title":"B","type":"string"},"size":{"title":"S","type":"string","enum":["S"]}`)
		const at = "definitions.custom.properties."
		for name, c := range map[string]struct {
			properties, field, word string
		}{
			"no object":           {`"a":7`, "a", "object"},
			"no type":             {`"a":{"title":"A"}`, "a.type", "blank"},
			"unknown type":        {`"a":{"type":"text"}`, "a.type", "text"},
			"type is no string":   {`"a":{"type":7}`, "a.type", "wrong type"},
			"unknown key":         {`"a":{"type":"string","colour":"red"}`, "a.colour", "no such key"},
			"array without items": {`"a":{"type":"array"}`, "a.items", "type"},
			"array of arrays":     {`"a":{"type":"array","items":{"type":"array"}}`, "a.items.type", "array"},
			"items of a string":   {`"a":{"type":"string","items":{"type":"string"}}`, "a.items", "array"},
			"unknown format":      {`"a":{"type":"string","format":"zip"}`, "a.format", "zip"},
			"format of a number":  {`"a":{"type":"number","format":"uri"}`, "a.format", "string"},
			"negative length":     {`"a":{"type":"string","minLength":-1}`, "a.minLength", "not negative"},
			"lengths crossed":     {`"a":{"type":"string","minLength":5,"maxLength":4}`, "a.minLength", "maxLength"},
			"length of a number":  {`"a":{"type":"integer","maxLength":4}`, "a.maxLength", "string"},
			"bounds crossed":      {`"a":{"type":"number","minimum":2,"maximum":1}`, "a.minimum", "maximum"},
			"minimum of a string": {`"a":{"type":"string","minimum":2}`, "a.minimum", "number"},
			"bad pattern":         {`"a":{"type":"string","pattern":"("}`, "a.pattern", "missing"},
			"enum of booleans":    {`"a":{"type":"boolean","enum":[true]}`, "a.enum", ""},
			"enum of others":      {`"a":{"type":"integer","enum":["x"]}`, "a.enum", "type"},
			"enum twice":          {`"a":{"type":"string","enum":["x","x"]}`, "a.enum", "twice"},
			"empty enum":          {`"a":{"type":"string","enum":[]}`, "a.enum", "1 to"},
			"default of another":  {`"a":{"type":"integer","default":"x"}`, "a.default", "integer"},
			"default not in enum": {`"a":{"type":"string","enum":["x"],"default":"y"}`, "a.default", "one of"},
			"default too large":   {`"a":{"type":"integer","default":3000000000}`, "a.default", "32 bits"},
			"unique boolean":      {`"a":{"type":"boolean","unique":true}`, "a.unique", "boolean"},
			"unique array":        {`"a":{"type":"array","items":{"type":"string"},"unique":true}`, "a.unique", "array"},
			"unique what":         {`"a":{"type":"string","unique":"maybe"}`, "a.unique", "true"},
			"unique without rows": {`"a":{"type":"string","unique":true,"index":false}`, "a.unique", "index"},
			"title with NUL":      {`"a":{"type":"string","title":"\u0000x"}`, "a.title", "NUL"},
			"enum with NUL":       {`"a":{"type":"string","enum":["\u0000"]}`, "a.enum", "NUL"},
			"app with NUL":        {`"a":{"type":"string","master":{"type":"OVERRIDE","priority":[{"type":"APP","value":"\u0000"}]}}`, "a.master", "apps"},
			"unknown mutability":  {`"a":{"type":"string","mutability":"SOMETIMES"}`, "a.mutability", "READ_WRITE"},
			"unknown scope":       {`"a":{"type":"string","scope":"ALL"}`, "a.scope", "NONE"},
			"two permissions":     {`"a":{"type":"string","permissions":[{"principal":"SELF","action":"HIDE"},{"principal":"SELF","action":"HIDE"}]}`, "a.permissions", "SELF"},
			"unknown permission":  {`"a":{"type":"string","permissions":[{"principal":"SELF","action":"SEE"}]}`, "a.permissions", "HIDE"},
			"unknown master":      {`"a":{"type":"string","master":{"type":"BOSS"}}`, "a.master", "BOSS"},
			"override of nobody":  {`"a":{"type":"string","master":{"type":"OVERRIDE"}}`, "a.master", "priority"},
			"override of no app":  {`"a":{"type":"string","master":{"type":"OVERRIDE","priority":[{"type":"APP","value":"0oanone"}]}}`, "a.master", "0oanone"},
			"set by hand":         {`"a":{"type":"string","scope":"SELF"}`, "a.scope", "mappings"},
			"combined":            {`"a":{"type":"array","items":{"type":"string"},"union":"ENABLE"}`, "a.union", "combined"},
			"required secret":     {`"a":{"type":"string","mutability":"WRITE_ONLY","required":true}`, "a.required", "read"},
			"name of a base":      {`"Login":{"type":"string"}`, "Login", "already has"},
			"reserved name":       {`"status":{"type":"string"}`, "status.name", "reserved"},
			"word of CEL":         {`"in":{"type":"string"}`, "in.name", "reserved"},
			"name with a dash":    {`"a-b":{"type":"string"}`, "a-b.name", "letters"},
			"another type":        {`"badge":{"type":"integer"}`, "badge.type", "never changes"},
			"an array of it":      {`"badge":{"type":"array","items":{"type":"string"}}`, "badge.type", "never"},
			"another case":        {`"Badge":{"type":"string"}`, "Badge", "another attribute"},
			"a secret of it":      {`"badge":{"mutability":"WRITE_ONLY"}`, "badge.mutability", "never changes"},
		} {
			t.Run(name, func(t *testing.T) { s.badSchema("E0000001", c.properties, at+c.field, c.word) })
		}
		s.badSchema("E0000123", `"a":{"type":"string","oneOf":[{"const":"x","title":"X"}]}`, at+"a.oneOf")
		s.badSchema("E0000123", `"a":{"type":"string","enum":["x","y"],"oneOf":[{"const":"y","title":"Y"},{"const":"x","title":"X"}]}`)
		s.badSchema("E0000001", `"a":{"type":"text"},"b":{"type":"string","minLength":-1}`, at+"a.type", at+"b.minLength")
		s.refused(http.StatusBadRequest, "E0000001", "POST", userSchema, `{"definitions":{"other":{}}}`, "definitions.other")
		s.refused(http.StatusBadRequest, "E0000001", "POST", userSchema, `{"definitions":{"custom":{"properties":[]}}}`, "definitions.custom.properties")
		s.refused(http.StatusBadRequest, "E0000001", "POST", userSchema, `{"definitions":{"custom":{"required":["nobody"]}}}`, "nobody")
		s.refused(http.StatusBadRequest, "E0000001", "POST", userSchema, `{"description":"\u0000"}`, "description")
		s.refused(http.StatusBadRequest, "E0000001", "GET", "/meta/schemas/operations?after=%00", "", "after")
		s.refused(http.StatusBadRequest, "E0000001", "GET", "/users?after=%ff", "", "after")
		for i := range 5 {
			s.define(fmt.Sprintf(`"u%d":{"type":"string","unique":true}`, i))
		}
		s.badSchema("E0000001", `"u5":{"type":"string","unique":true}`, at+"u5.unique", "at most 5")
	})
}

func TestUserSchema_Base(t *testing.T) {
	each(t, func(t *testing.T, s *service) {
		base := func(properties string) string { return `{"definitions":{"base":{"properties":{` + properties + `}}}}` }
		const where = "definitions.base.properties."
		for _, body := range []string{
			base(`"email":{"required":false}`), base(`"title":{"title":"Other"}`), base(`"login":{"maxLength":50}`),
			base(`"nobody":{}`), base(`"title":null`), base(`"firstName":{"pattern":"x"}`), base(`"login":{"pattern":"[a-z]"}`), base(`"login":{"pattern":"[a.]+"}`),
			base(`"title":{"permissions":[{"principal":"SELF","action":"SEE"}]}`),
		} {
			s.refused(http.StatusBadRequest, "E0000001", "POST", userSchema, body, where)
		}
		s.refused(http.StatusBadRequest, "E0000001", "POST", userSchema, `{"definitions":{"base":{"required":["firstName","lastName","email"]}}}`, "login is always required")
		r := s.must(http.StatusOK, "POST", userSchema, base(`"lastName":{"required":false},"title":{"permissions":[{"principal":"SELF","action":"HIDE"}]},"login":{"pattern":"[a-z0-9\\-]+"}`))
		if at(r.body, "definitions", "base", "properties", "lastName", "required") != nil || at(r.body, "definitions", "base", "properties", "title", "permissions", 0, "action") != "HIDE" || at(r.body, "definitions", "base", "properties", "login", "pattern") != `[a-z0-9\-]+` {
			t.Errorf("changed: %s", r.raw)
		}
		s.must(http.StatusOK, "POST", "/users", `{"profile":{"login":"ana-1","email":"a@example.com","firstName":"A"}}`)
		s.refused(http.StatusBadRequest, "E0000001", "POST", "/users", `{"profile":{"login":"Bob","email":"b@example.com","firstName":"B"}}`, "login")
		s.refused(http.StatusBadRequest, "E0000001", "POST", "/users", `{"profile":{"login":"bob","email":"b@example.com"}}`, "firstName")
		s.must(http.StatusOK, "POST", userSchema, base(`"login":{"pattern":null},"lastName":{"required":true}`))
		s.refused(http.StatusBadRequest, "E0000001", "POST", "/users", `{"profile":{"login":"bobby","email":"b@example.com","firstName":"B","lastName":"B"}}`, "login")
		s.refused(http.StatusBadRequest, "E0000001", "POST", "/users", `{"profile":{"login":"b@example.com","email":"b@example.com","firstName":"B"}}`, "lastName")
		s.must(http.StatusOK, "POST", userSchema, `{"definitions":{"base":{"required":["login","email","lastName"]}}}`)
		s.must(http.StatusOK, "POST", "/users", `{"profile":{"login":"c@example.com","email":"b@example.com","lastName":"C"}}`)
	})
}
