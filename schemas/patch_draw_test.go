package schemas

import (
	"encoding/json"
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var drawWord = rapid.SampledFrom([]string{"a", "A", "b", "ab", "é"})

func drawFilter(t *rapid.T, subs []string, depth int) term {
	kind := rapid.SampledFrom([]string{"eq", "eq", "eq", "ne", "co", "sw", "pr", "and", "or", "not"}).Draw(t, "filter")
	next := func() term { return drawFilter(t, subs, depth-1) }
	switch {
	case depth > 0 && (kind == "and" || kind == "or"):
		return term{op: kind, terms: []term{next(), next()}}
	case depth > 0 && kind == "not":
		return term{op: kind, terms: []term{next()}}
	case len(kind) != 2 || kind == "or":
		kind = "eq"
	}
	return term{op: kind, sub: rapid.SampledFrom(subs).Draw(t, "by"), value: drawWord.Draw(t, "what")}
}

// elementSubs are the sub-attributes of the elements that are drawn; "value" alone for
// a simple one.
var elementSubs = map[string][]string{
	"emails": {"value", "type", "display"}, "addresses": {"locality", "type", "country"}, orgURN + ":tags": {"value"},
}

func drawElement(t *rapid.T, attr string, flagged bool) any {
	if !multi[attr] {
		return drawWord.Draw(t, "tag")
	}
	subs := elementSubs[attr]
	e := map[string]any{rapid.SampledFrom(subs).Draw(t, "first"): drawWord.Draw(t, "text")}
	if rapid.Bool().Draw(t, "second") {
		e[rapid.SampledFrom(subs).Draw(t, "sub")] = drawWord.Draw(t, "more")
	}
	if flagged && rapid.Bool().Draw(t, "flagged") {
		e["primary"] = rapid.Bool().Draw(t, "primary")
	}
	return e
}

// drawElements has at most one primary: two are refused, which other tests show.
func drawElements(t *rapid.T, attr string) []any {
	list := []any{drawElement(t, attr, true)}
	for range rapid.IntRange(0, 2).Draw(t, "count") {
		list = append(list, drawElement(t, attr, false))
	}
	return list
}

func drawMulti(t *rapid.T, attr, op string) operation {
	o := operation{op: op, at: target{attr: attr}}
	if rapid.Bool().Draw(t, "filtered") {
		f := drawFilter(t, elementSubs[attr], 2)
		o.at.filter = &f
	}
	if multi[attr] && rapid.Bool().Draw(t, "part") {
		o.at.sub = rapid.SampledFrom(elementSubs[attr]).Draw(t, "sub")
	}
	switch {
	case op == "remove":
		if o.at.filter == nil && o.at.sub == "" && rapid.Bool().Draw(t, "listed") {
			o.value = drawElements(t, attr)
		}
	case op == "replace" && rapid.IntRange(0, 5).Draw(t, "null") == 0:
	case o.at.sub != "":
		o.value = drawWord.Draw(t, "value")
	case o.at.filter != nil:
		o.value = drawElement(t, attr, false) // several made primary at once are refused
	default:
		o.value = drawElements(t, attr)
	}
	return o
}

// singles are the single-valued paths; the members of a complex one.
var singles = map[string][]string{
	"title": nil, "nickName": nil, "name": {"givenName", "familyName"}, "name.givenName": nil,
	enterpriseURN: {"department", "division"}, enterpriseURN + ":department": nil, enterpriseURN + ":manager": {"value", "displayName"},
	enterpriseURN + ":manager.value": nil, userURN + ":title": nil, "groups": nil,
}

func drawSingle(t *rapid.T, path, op string) operation {
	o := operation{op: op, at: target{attr: strings.TrimPrefix(path, userURN+":")}}
	switch {
	case op == "remove", op == "replace" && rapid.IntRange(0, 5).Draw(t, "null") == 0:
	case singles[path] == nil:
		o.value = drawWord.Draw(t, "value")
	default:
		m := map[string]any{}
		for _, sub := range singles[path] {
			if rapid.Bool().Draw(t, sub) {
				m[sub] = drawWord.Draw(t, "value of "+sub)
			}
		}
		o.value = m
	}
	return o
}

// drawPathless puts several attributes into one value: names, dotted names, names under
// a URN, and a URN with an object. No two of them touch the same attribute.
func drawPathless(t *rapid.T, op string) operation {
	m := map[string]any{}
	for _, one := range []string{"title", "name.givenName", "emails", enterpriseURN + ":department", enterpriseURN + ":manager", orgURN} {
		if !rapid.Bool().Draw(t, one) {
			continue
		}
		switch one {
		case "emails":
			m[one] = any(drawElements(t, one))
		case orgURN:
			m[one] = map[string]any{"tags": drawElements(t, orgURN+":tags")}
		default:
			m[one] = drawSingle(t, one, op).value
		}
	}
	return operation{op: op, value: m}
}

func drawOperation(t *rapid.T) operation {
	op := rapid.SampledFrom([]string{"add", "replace", "remove"}).Draw(t, "op")
	switch rapid.IntRange(0, 6).Draw(t, "form") {
	case 0:
		return drawPathless(t, op)
	case 1, 2:
		return drawSingle(t, rapid.SampledFrom(slices.Sorted(maps.Keys(singles))).Draw(t, "path"), op)
	}
	return drawMulti(t, rapid.SampledFrom(slices.Sorted(maps.Keys(multi))).Draw(t, "attribute"), op)
}

// JSON is the operation as a client may write it: names in any case.
func (o operation) JSON(r *rand.Rand) string {
	m := map[string]any{"op": anyCase(r, o.op)}
	if o.value != nil || o.op != "remove" {
		m["value"] = o.value
	}
	if o.at.attr != "" {
		path := anyCase(r, o.at.attr)
		if o.at.filter != nil {
			path += "[" + o.at.filter.String() + "]"
		}
		if o.at.sub != "" {
			path += "." + anyCase(r, o.at.sub)
		}
		m["path"] = path
	}
	return string(mustMarshal(m))
}

func anyCase(r *rand.Rand, s string) string {
	switch r.IntN(3) {
	case 0:
		return strings.ToUpper(s)
	case 1:
		return strings.ToUpper(s[:1]) + s[1:]
	}
	return s
}

// TestPatch_Oracle compares with the naive implementation over sequences of
// operations, one PATCH each and all in one.
func TestPatch_Oracle(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := rapid.SampledFrom([]Dialect{Strict, Entra}).Draw(t, "dialect")
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "case"), 0))
		start, err := typ("User").Parse([]byte(`{"schemas":["`+userURN+`"],"userName":"u"}`), Strict)
		if err != nil {
			t.Fatal(err)
		}
		r, want, sent := start, oracle{doc: map[string]any{"userName": "u"}, tolerant: d.CreateOnReplace}, []string{}
		for range rapid.IntRange(1, 8).Draw(t, "count") {
			op := drawOperation(t)
			text := op.JSON(random)
			trial := oracle{doc: deepCopy(t, want.doc), tolerant: want.tolerant}
			expected := trial.apply(op)
			next, err := patchOnce(r, text, d)
			if got := scimTypeOf(err); got != expected {
				t.Fatalf("%s on %s: oracle says %q, patch says %q (%v)", text, r.Doc(), expected, got, err)
			}
			if expected == "" {
				r, want = next, oracle{doc: deepCopy(t, withoutEmpty(trial.doc)), tolerant: want.tolerant}
				sent = append(sent, text)
			}
			wantOracle(t, want.doc, r, text)
		}
		if len(sent) == 0 {
			return
		}
		all, err := patchOnce(start, strings.Join(sent, ","), d)
		if err != nil || string(all.Doc()) != string(r.Doc()) {
			t.Fatalf("in one request: %v\n got %s\nwant %s", err, all.Doc(), r.Doc())
		}
	})
}

func patchOnce(r *Resource, operations string, d Dialect) (*Resource, error) {
	ops, err := r.Type.ParsePatch([]byte(patchBody(operations)), d)
	if err != nil {
		return nil, err
	}
	return r.Type.Patch(r, ops, d)
}

func scimTypeOf(err error) string {
	var e *Error
	switch {
	case err == nil:
		return ""
	case errors.As(err, &e):
		return e.ScimType
	}
	return err.Error()
}

func deepCopy(t *rapid.T, v any) map[string]any {
	var m map[string]any
	if err := json.Unmarshal(mustMarshal(v), &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func wantOracle(t *rapid.T, want map[string]any, r *Resource, after string) {
	var got map[string]any
	if err := json.Unmarshal(r.Doc(), &got); err != nil {
		t.Fatal(err)
	}
	delete(got, "schemas")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("after %s (-oracle +patch):\n%s", after, diff)
	}
}
