package schemas

import (
	"strings"
	"testing"
)

func TestCompile_Refuses(t *testing.T) {
	t.Parallel()
	with := func(as ...Attribute) []ResourceType {
		types := Default()
		types[0].Extensions[1].Schema.Attributes = as
		return types
	}
	many := make([]Attribute, 600)
	for i := range many {
		many[i] = Attribute{Name: "a" + itoa(i), Type: String}
	}
	for name, c := range map[string]struct {
		types   []ResourceType
		mention string
	}{
		"no type":              {with(Attribute{Name: "a"}), "unknown type"},
		"unknown type":         {with(Attribute{Name: "a", Type: "text"}), `unknown type "text"`},
		"no name":              {with(Attribute{Type: String}), "name"},
		"name with a dot":      {with(Attribute{Name: "a.b", Type: String}), "a name is"},
		"name twice":           {with(Attribute{Name: "a", Type: String}, Attribute{Name: "A", Type: String}), "twice"},
		"name of a base":       {with(Attribute{Name: "login", Type: String}), "login"},
		"empty complex":        {with(Attribute{Name: "a", Type: Complex}), "without sub-attributes"},
		"parts of a string":    {with(Attribute{Name: "a", Type: String, SubAttributes: many[:1]}), "not complex"},
		"complex in complex":   {with(Attribute{Name: "a", Type: Complex, SubAttributes: []Attribute{{Name: "b", Type: Complex, SubAttributes: many[:1]}}}), "complex inside complex"},
		"multi in multi":       {with(Attribute{Name: "a", Type: Complex, MultiValued: true, SubAttributes: []Attribute{{Name: "b", Type: String, MultiValued: true}}}), "multi-valued inside"},
		"unknown mutability":   {with(Attribute{Name: "a", Type: String, Mutability: "sometimes"}), "mutability"},
		"unknown returned":     {with(Attribute{Name: "a", Type: String, Returned: "alway"}), "returned"},
		"unknown uniqueness":   {with(Attribute{Name: "a", Type: String, Uniqueness: "galaxy"}), "uniqueness"},
		"too many":             {with(many...), "more than 500"},
		"no URN":               {[]ResourceType{{Name: "X", Core: Schema{ID: "https://x"}}}, "no URN"},
		"a bracket in the URN": {[]ResourceType{{Name: "X", Core: Schema{ID: "urn:x:]"}}}, "no URN"},
		"long URN":             {[]ResourceType{{Name: "X", Core: Schema{ID: "urn:x:" + strings.Repeat("y", 128)}}}, "no URN"},
		"resource type twice":  {append(Default(), Default()...), "twice"},
		"extension twice": {func() []ResourceType {
			ts := Default()
			ts[0].Extensions = append(ts[0].Extensions, ts[0].Extensions[0])
			return ts
		}(), "twice"},
		"user without userName": {func() []ResourceType { ts := Default(); ts[0].Core.Attributes = ts[0].Core.Attributes[1:]; return ts }(), "userName"},
	} {
		_, err := Compile(1, c.types)
		if err == nil || !strings.Contains(err.Error(), c.mention) {
			t.Errorf("%s: got %v, want a mention of %q", name, err, c.mention)
		}
	}
}

// TestCompile_AnotherType: a resource type of one's own needs no code.
func TestCompile_AnotherType(t *testing.T) {
	t.Parallel()
	s, err := Compile(3, append(Default(), ResourceType{
		Name: "Device", Endpoint: "/Devices",
		Core: Schema{ID: "urn:example:Device", Name: "Device", Attributes: []Attribute{
			{Name: "serial", Type: String, Required: true, CaseExact: true, Uniqueness: UniqueServer},
			{Name: "ports", Type: Complex, MultiValued: true, SubAttributes: []Attribute{{Name: "number", Type: Integer}}},
		}},
	}))
	if err != nil {
		t.Fatal(err)
	}
	d, ok := s.Type("Device")
	if !ok || s.Version != 3 || len(s.Types()) != 3 {
		t.Fatalf("got %v, version %d", ok, s.Version)
	}
	r, err := d.Parse([]byte(`{"serial":"A1","ports":[{"number":1},{"number":2}]}`), Generic)
	if err != nil {
		t.Fatal(err)
	}
	p := mustPatch(t, r, Generic, `{"op":"replace","path":"ports[number ge 2].number","value":3}`)
	wantDoc(t, p, `{"serial":"A1","ports":[{"number":1},{"number":3}]}`)
	if u := p.Unique(); len(u) != 1 || u[0] != (Entry{Path: "serial", Value: "A1"}) {
		t.Errorf("unique: %v", u)
	}
	f, err := d.ParseFilter(`ports[number gt 1]`, Generic)
	if err != nil || shape(f.Root) != `ports[ports.number gt "8000000000000001"]` {
		t.Errorf("filter: %v, %v", f, err)
	}
	if _, err := d.Parse([]byte(`{}`), Generic); err == nil {
		t.Error("a device without a serial number")
	}
}
