package schemas

import (
	"fmt"
	"strings"
	"testing"
)

// TestPatch_FilterOperators: every operator, evaluated on the elements of a resource:
// the elements that match are the ones that a remove takes away.
func TestPatch_FilterOperators(t *testing.T) {
	t.Parallel()
	types := append(Default(), ResourceType{
		Name: "Thing", Endpoint: "/Things",
		Core: Schema{ID: "urn:example:Thing", Name: "Thing", Attributes: []Attribute{
			{Name: "parts", Type: Complex, MultiValued: true, SubAttributes: []Attribute{
				{Name: "value", Type: String}, {Name: "count", Type: Integer}, {Name: "at", Type: DateTime}, {Name: "on", Type: Boolean},
			}},
		}},
	})
	s, err := Compile(1, types)
	if err != nil {
		t.Fatal(err)
	}
	thing, _ := s.Type("Thing")
	const body = `{"parts":[{"value":"Apple","count":-5,"at":"2020-01-01T00:00:00Z","on":true},{"value":"banana","count":10,"at":"2020-01-01T00:30:00+01:00"},{"count":2,"on":false}]}`
	r, err := thing.Parse([]byte(body), Generic)
	if err != nil {
		t.Fatal(err)
	}
	for filter, want := range map[string]string{
		`value eq "APPLE"`: "0", `value ne "apple"`: "1 2", `value co "AN"`: "1", `value sw "a"`: "0", `value ew "E"`: "0",
		`value gt "apple"`: "1", `value ge "apple"`: "0 1", `value lt "b"`: "0", `value le "banana"`: "0 1", `value pr`: "0 1",
		`value eq null`: "2", `value ne null`: "0 1", `not (value pr)`: "2", `value co ""`: "0 1",
		`count gt -5`: "1 2", `count lt 10`: "0 2", `count ge 10`: "1", `count le -5`: "0", `count ne 2`: "0 1",
		`at gt "2019-12-31T23:30:00Z"`: "0", `at eq "2019-12-31T23:30:00Z"`: "1",
		`on eq true`: "0", `on ne true`: "1 2", `on pr`: "0 2",
		`value pr and count lt 0`: "0", `count lt 0 or on eq false`: "0 2", `not (count lt 0 or on eq false)`: "1",
	} {
		op, err := thing.parsePath("parts["+filter+"]", Generic)
		if err != nil {
			t.Errorf("%s: %v", filter, err)
			continue
		}
		p := patcher{op: &op}
		hits := p.selected(r.root.kid(op.attr))
		if got := strings.Trim(fmt.Sprint(hits), "[]"); got != want {
			t.Errorf("%s selects %s, want %s", filter, got, want)
		}
	}
}
