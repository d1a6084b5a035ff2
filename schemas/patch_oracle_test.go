package schemas

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// oracle applies patches to decoded JSON, slowly and by the letter of RFC 7644,
// section 3.5.2, for the attributes that drawOperation speaks of.
type oracle map[string]any

func (o oracle) apply(op drawn) bool {
	switch {
	case op.filter != "":
		return o.selected(op)
	case op.path == "emails":
		o.whole(op)
	case op.path == "name":
		o.merge(op)
	default:
		o.single(op)
	}
	return true
}

// single sets or removes "title" or "name.givenName".
func (o oracle) single(op drawn) {
	holder, name := o, op.path
	if head, tail, dotted := strings.Cut(op.path, "."); dotted {
		name = tail
		sub, ok := o[head].(map[string]any)
		if !ok {
			sub = map[string]any{}
			o[head] = sub
		}
		holder = sub
	}
	if op.op == "remove" {
		delete(holder, name)
		return
	}
	holder[name] = op.value
}

func (o oracle) merge(op drawn) {
	if op.op == "remove" {
		delete(o, "name")
		return
	}
	name, _ := o["name"].(map[string]any)
	if name == nil {
		name = map[string]any{}
		o["name"] = name
	}
	maps.Copy(name, op.value.(map[string]any))
}

func (o oracle) emails() []map[string]any {
	list, _ := o["emails"].([]map[string]any)
	return list
}

func (o oracle) whole(op drawn) {
	switch op.op {
	case "remove":
		delete(o, "emails")
	case "replace":
		o["emails"] = []map[string]any{maps.Clone(op.value.(map[string]any))}
	default:
		e := maps.Clone(op.value.(map[string]any))
		for _, have := range o.emails() {
			if says(have, e) {
				return
			}
		}
		o["emails"] = append(o.emails(), e)
		o.onePrimary(len(o.emails()) - 1)
	}
}

// says compares without regard to case, as the attributes are.
func says(have, e map[string]any) bool {
	for k, v := range e {
		if h, ok := have[k]; !ok || !strings.EqualFold(fmt.Sprint(h), fmt.Sprint(v)) {
			return false
		}
	}
	return true
}

func (o oracle) onePrimary(fresh int) {
	list := o.emails()
	if list[fresh]["primary"] != true {
		return
	}
	for i, e := range list {
		if i != fresh && e["primary"] == true {
			e["primary"] = false
		}
	}
}

// selected is emails[type eq "x"], with or without a sub-attribute.
func (o oracle) selected(op drawn) bool {
	var kept []map[string]any
	hit := false
	for i, e := range o.emails() {
		if !strings.EqualFold(fmt.Sprint(e["type"]), op.filter) || e["type"] == nil {
			kept = append(kept, e)
			continue
		}
		hit = true
		switch {
		case op.op == "remove" && op.sub == "":
			continue
		case op.op == "remove":
			delete(e, op.sub)
		case op.sub != "":
			e[op.sub] = op.value
		case op.op == "replace":
			clear(e)
			maps.Copy(e, op.value.(map[string]any))
			o.onePrimary(i)
		default:
			maps.Copy(e, op.value.(map[string]any))
			o.onePrimary(i)
		}
		if len(e) > 0 {
			kept = append(kept, e)
		}
	}
	if hit {
		o["emails"] = kept
	}
	return hit
}

// drawn is an operation as the oracle sees it.
type drawn struct {
	op, path, filter, sub string
	value                 any
}

func (d drawn) JSON() string {
	path := d.path
	if d.filter != "" {
		path += fmt.Sprintf("[type eq %q]", d.filter)
	}
	if d.sub != "" {
		path += "." + d.sub
	}
	m := map[string]any{"op": d.op, "path": path}
	if d.value != nil {
		m["value"] = d.value
	}
	return string(mustMarshal(m))
}

func drawOperation(t *rapid.T) drawn {
	text := rapid.SampledFrom([]string{"a", "A", "b", "é"})
	email := func() map[string]any {
		e := map[string]any{"value": text.Draw(t, "value")}
		if rapid.Bool().Draw(t, "typed") {
			e["type"] = rapid.SampledFrom([]string{"work", "Home"}).Draw(t, "type")
		}
		if rapid.Bool().Draw(t, "flagged") {
			e["primary"] = rapid.Bool().Draw(t, "primary")
		}
		return e
	}
	d := drawn{
		op:   rapid.SampledFrom([]string{"add", "replace", "remove"}).Draw(t, "op"),
		path: rapid.SampledFrom([]string{"title", "name", "name.givenName", "emails", "emails"}).Draw(t, "path"),
	}
	switch {
	case d.path == "emails" && rapid.Bool().Draw(t, "filtered"):
		d.filter = rapid.SampledFrom([]string{"work", "home"}).Draw(t, "filter")
		if rapid.Bool().Draw(t, "sub") {
			d.sub, d.value = "value", text.Draw(t, "subvalue")
		} else {
			d.value = email()
			// Two elements made primary at once are refused; the oracle knows no errors.
			delete(d.value.(map[string]any), "primary")
		}
	case d.path == "emails":
		d.value = email()
	case d.path == "name":
		d.value = map[string]any{rapid.SampledFrom([]string{"givenName", "familyName"}).Draw(t, "part"): text.Draw(t, "part value")}
	default:
		d.value = text.Draw(t, "text")
	}
	if d.op == "remove" {
		d.value = nil
	}
	return d
}

// TestPatch_Oracle compares with the naive implementation over sequences of
// operations, one PATCH each and all in one.
func TestPatch_Oracle(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		start, err := typ("User").Parse([]byte(`{"userName":"u"}`), Strict.tolerant())
		if err != nil {
			t.Fatal(err)
		}
		want := oracle{"userName": "u"}
		r, sent := start, []string{}
		for range rapid.IntRange(1, 8).Draw(t, "count") {
			op := drawOperation(t)
			ops, err := r.Type.ParsePatch([]byte(patchBody(op.JSON())), Strict)
			if err != nil {
				t.Fatalf("%s: %v", op.JSON(), err)
			}
			next, err := r.Type.Patch(r, ops, Strict)
			if hit := want.apply(op); hit != (err == nil) {
				t.Fatalf("%s on %s: oracle says %v, patch says %v", op.JSON(), r.Doc(), hit, err)
			}
			if err == nil {
				r = next
				sent = append(sent, op.JSON())
			}
		}
		wantOracle(t, want, r)
		if len(sent) == 0 {
			return
		}
		ops, err := start.Type.ParsePatch([]byte(patchBody(strings.Join(sent, ","))), Strict)
		if err != nil {
			t.Fatal(err)
		}
		all, err := start.Type.Patch(start, ops, Strict)
		if err != nil || string(all.Doc()) != string(r.Doc()) {
			t.Fatalf("in one request: %v\n got %s\nwant %s", err, all.Doc(), r.Doc())
		}
	})
}

func (d Dialect) tolerant() Dialect {
	d.OptionalSchemas = true
	return d
}

func wantOracle(t *rapid.T, want oracle, r *Resource) {
	if name, ok := want["name"].(map[string]any); ok && len(name) == 0 {
		delete(want, "name")
	}
	if len(want.emails()) == 0 {
		delete(want, "emails")
	}
	var w, got map[string]any
	if err := json.Unmarshal(mustMarshal(want), &w); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(r.Doc(), &got); err != nil {
		t.Fatal(err)
	}
	delete(got, "schemas")
	if diff := cmp.Diff(w, got); diff != "" {
		t.Fatalf("(-oracle +patch):\n%s", diff)
	}
}

// FuzzPatch: no input panics, the resource is not touched, and what comes out is
// canonical.
func FuzzPatch(f *testing.F) {
	for _, op := range []string{
		`{"op":"add","value":{"emails[type eq \"work\"].value":"x","name":{"givenName":null}}}`,
		`{"op":"replace","path":"emails[type eq \"work\" and not (value pr)]","value":[{"value":"q","primary":"True"}]}`,
		`{"op":"remove","path":"emails","value":[{"type":"work"}]},{"op":"add","path":"addresses.country","value":"x"}`,
		`{"op":"replace","path":"` + enterpriseURN + `","value":{"manager":["m"]}}`,
		`{"op":"add","path":"` + orgURN + `:tags[value eq \"a\"]","value":"b"}`,
	} {
		f.Add([]byte(patchBody(op)), true)
		f.Add([]byte(patchBody(op)), false)
	}
	f.Fuzz(func(t *testing.T, body []byte, tolerant bool) {
		d := Strict
		if tolerant {
			d = Entra
		}
		r := parse(t, "User", barbara, Generic)
		before := string(r.Doc())
		ops, err := r.Type.ParsePatch(body, d)
		if err != nil {
			return
		}
		p, err := r.Type.Patch(r, ops, d)
		if got := string(r.Doc()); got != before {
			t.Fatalf("the resource has changed\n got %s\nwant %s", got, before)
		}
		if err == nil {
			wantStable(t, p)
			wantParses(t, p)
		}
	})
}

// wantParses: a document is a valid request body, so that a PATCH leads to nothing
// that a PUT would refuse.
func wantParses(t testing.TB, r *Resource) {
	t.Helper()
	again, err := r.Type.Parse(r.Doc(), Strict)
	if err != nil {
		t.Fatalf("document %s: %v", r.Doc(), err)
	}
	if got := again.Doc(); string(got) != string(r.Doc()) {
		t.Fatalf("parsed document\n got %s\nwant %s", got, r.Doc())
	}
}

// FuzzPath: a path never panics, and resolves to the same attribute in any case.
func FuzzPath(f *testing.F) {
	for _, s := range []string{
		`emails[type eq "work"].value`, `name.givenName`, enterpriseURN, enterpriseURN + ":manager.displayName",
		`members[value eq "x" or value eq "y"]`, `tags[value pr]`, `a.b.c`, `emails[].x`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, src string) {
		op, err := typ("User").parsePath(src, Entra)
		if err != nil {
			return
		}
		if op.attr == nil || op.filter != nil && !op.attr.MultiValued || op.sub != nil && op.sub.parent != op.attr {
			t.Fatalf("path %q: attribute %v, sub %v", src, op.attr, op.sub)
		}
		name, rest, _ := strings.Cut(src, "[")
		if again, err := typ("User").parsePath(strings.ToUpper(name), Entra); rest == "" && (err != nil || again.attr != op.attr) {
			t.Fatalf("path %q in upper case: %v", src, err)
		}
	})
}
