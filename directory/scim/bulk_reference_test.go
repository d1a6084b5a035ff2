package scim

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRFC7644_3_7_2_WhatIsAReference(t *testing.T) {
	t.Parallel()
	resolve := func(bulkID string) string { return "<" + bulkID + ">" }
	for data, want := range map[string]string{
		`{"value":"bulkId:a"}`:                                   `{"value":"<a>"}`,
		`{"value" : "bulkId:a" , "x":["bulkId:b","c"]}`:          `{"value" : "<a>" , "x":["<b>","c"]}`,
		`{"$ref":"../Users/bulkId:a"}`:                           `{"$ref":"../Users/<a>"}`,
		`{"$ref":"https:\/\/id.example\/Users\/bulkId:a"}`:       `{"$ref":"https://id.example/Users/<a>"}`,
		`{"path":"members[value eq \"bulkId:a\"]"}`:              `{"path":"members[value eq \"<a>\"]"}`,
		`{"path":"m[v eq \"bulkId:a\" or v eq \"bulkId:b\"].x"}`: `{"path":"m[v eq \"<a>\" or v eq \"<b>\"].x"}`,
		`{"value":"bulkId:"}`:                                    `{"value":"<>"}`,
		`{"value":"bulkId:a\"b\\"}`:                              `{"value":"<a\"b\\>"}`,
		`{"value":"bulk\u0049d:a"}`:                              `{"value":"<a>"}`,
		`{"bulkId:a":"x"}`:                                       `{"bulkId:a":"x"}`,
		`{"bulkId:a" : {"bulkId:b":"bulkId:c"}}`:                 `{"bulkId:a" : {"bulkId:b":"<c>"}}`,
		`{"value":"BulkId:a"}`:                                   `{"value":"BulkId:a"}`,
		`{"value":"my bulkId:a"}`:                                `{"value":"my bulkId:a"}`,
		`{"value":"a \"bulkId:b"}`:                               `{"value":"a \"bulkId:b"}`,
		`{"value":"\u00e9"}`:                                     `{"value":"\u00e9"}`,
		`"bulkId:a"`:                                             `"<a>"`,
		`[]`:                                                     `[]`,
	} {
		var got, exp any
		if err := json.Unmarshal(rewrite([]byte(data), resolve), &got); err != nil {
			t.Errorf("%s: %v", data, err)
		}
		if err := json.Unmarshal([]byte(want), &exp); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(exp, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", data, diff)
		}
	}
}

// FuzzRewrite: replacing references keeps JSON what it is: the same values but for the
// references, and nothing at all when there are none.
func FuzzRewrite(f *testing.F) {
	for _, seed := range []string{`{"a":"bulkId:b","c":[1,"x/bulkId:y",null]}`, `"\"bulkId:x\""`, `{"bulkId:":"bulk\u0049d:z"}`, `"\\"`, `[[""]]`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if !json.Valid(data) {
			return
		}
		found := 0
		same := rewrite(data, func(bulkID string) string { found++; return bulkIDPrefix + bulkID })
		var before, after any
		if json.Unmarshal(data, &before) != nil || json.Unmarshal(same, &after) != nil || !cmp.Equal(before, after) {
			t.Fatalf("%s became %s", data, same)
		}
		other := rewrite(data, func(string) string { return "x" })
		if !json.Valid(other) || found == 0 && string(other) != string(data) {
			t.Fatalf("%s became %s", data, other)
		}
	})
}
