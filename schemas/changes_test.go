package schemas

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestChanges(t *testing.T) {
	t.Parallel()
	const dept = `"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":`
	for name, c := range map[string]struct {
		before, after, attributes, excluded string
		want                                map[string]string // path -> value, "" for none
	}{
		"nothing":               {before: `{"title":"a"}`, after: `{"title":"a"}`},
		"simple":                {before: `{"title":"a"}`, after: `{"title":"b"}`, want: map[string]string{"title": `"b"`}},
		"new and gone":          {before: `{"title":"a"}`, after: `{"nickName":"b"}`, want: map[string]string{"title": "", "nickName": `"b"`}},
		"sub-attribute":         {before: `{"name":{"familyName":"a","givenName":"x"}}`, after: `{"name":{"familyName":"b","givenName":"x"}}`, want: map[string]string{"name.familyName": `"b"`}},
		"complex that is new":   {after: `{"name":{"familyName":"b"}}`, want: map[string]string{"name": `{"familyName":"b"}`}},
		"complex that is gone":  {before: `{"name":{"familyName":"b"}}`, after: `{}`, want: map[string]string{"name": ""}},
		"multi-valued":          {before: `{"emails":[{"value":"a"}]}`, after: `{"emails":[{"value":"a"},{"value":"b"}]}`, want: map[string]string{"emails": `[{"value":"a"},{"value":"b"}]`}},
		"extension that is new": {after: `{` + dept + `"x"}}`, want: map[string]string{enterpriseURN + ":department": `"x"`}},
		"extension":             {before: `{` + dept + `"x"}}`, after: `{` + dept + `"y"}}`, want: map[string]string{enterpriseURN + ":department": `"y"`}},
		"no schemas, no rest":   {after: `{"schemas":["urn:x"],"nosuch":1,"password":"canary","id":"x","meta":{},"members":[]}`},
		"asked for":             {after: `{"title":"a","nickName":"b"}`, attributes: "title", want: map[string]string{"title": `"a"`}},
		"part of a complex":     {after: `{"name":{"familyName":"a","givenName":"b"}}`, attributes: "name.givenName", want: map[string]string{"name.givenName": `"b"`}},
		"part that is gone":     {before: `{"name":{"familyName":"a","givenName":"b"}}`, attributes: "name.givenName", want: map[string]string{"name.givenName": ""}},
		"part of elements":      {after: `{"emails":[{"value":"a","type":"work"}]}`, excluded: "emails.type", want: map[string]string{"emails": `[{"value":"a"}]`}},
		"excluded":              {after: `{"title":"a"}`, excluded: "title"},
	} {
		typ := typ("User")
		p, err := typ.ParseProjection(c.attributes, c.excluded)
		if err != nil {
			t.Fatal(err)
		}
		changes, err := typ.Changes([]byte(c.before), []byte(c.after), p)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		var got map[string]string
		for _, ch := range changes {
			if got == nil {
				got = map[string]string{}
			}
			got[ch.Path] = string(ch.Value)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// Property: the changes of two documents, applied as a PATCH to the one, give the other.
func TestChanges_PatchedBeforeIsAfter(t *testing.T) {
	t.Parallel()
	typ := typ("User")
	rapid.Check(t, func(rt *rapid.T) {
		draw := func() *Resource {
			root := drawRoot(rt)
			root.keepWritable()
			return &Resource{Type: typ, root: root}
		}
		before, after := draw(), draw()
		changes, err := typ.Changes(before.Doc(), after.Doc(), nil)
		if err != nil {
			rt.Fatal(err)
		}
		var ops []map[string]any
		for _, c := range changes {
			op := map[string]any{"op": "remove", "path": c.Path}
			if c.Value != nil {
				op["op"], op["value"] = "replace", c.Value
			}
			ops = append(ops, op)
		}
		if len(ops) == 0 {
			return
		}
		body, err := json.Marshal(map[string]any{"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:PatchOp"}, "Operations": ops})
		if err != nil {
			rt.Fatal(err)
		}
		parsed, err := typ.ParsePatch(body, Generic)
		if err != nil {
			rt.Fatalf("%s: %v", body, err)
		}
		got, err := typ.Patch(before, parsed, Generic)
		if err != nil {
			rt.Fatalf("%s: %v", body, err)
		}
		if diff := cmp.Diff(string(after.Doc()), string(got.Doc())); diff != "" {
			rt.Fatalf("%s\n%s", body, diff)
		}
	})
}

// keepWritable drops what a PATCH may not change or a response does not show.
func (n *node) keepWritable() {
	kept := n.kids[:0]
	for _, k := range n.kids {
		if k.attr.Mutability != ReadWrite || k.attr.Returned == ReturnedNever || k.attr.Returned == ReturnedRequest {
			continue
		}
		if k.keepWritable(); k.attr.Type == Complex && len(k.kids) == 0 {
			continue
		}
		kept = append(kept, k)
	}
	n.kids = kept
}
