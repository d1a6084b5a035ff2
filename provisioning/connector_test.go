package provisioning

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestErrorIsOfOneKind(t *testing.T) {
	inner := &Error{Kind: ErrNotFound, Op: "read", Status: 404, Err: context.Canceled}
	outer := &Error{Kind: ErrTransient, Op: "verify", Err: inner}
	if !errors.Is(outer, ErrTransient) || errors.Is(outer, ErrNotFound) || !errors.Is(outer, context.Canceled) {
		t.Errorf("kinds of %v", outer)
	}
	var e *Error
	if !errors.As(outer, &e) || e != outer {
		t.Errorf("as %v", e)
	}
}

// TestErrorTells what was tried, what it means and the target's words, in one line and bounded.
func TestErrorTells(t *testing.T) {
	e := &Error{Kind: ErrInvalid, Op: "PATCH /Users/1", Status: 400, Attr: "title", Body: Words("too\nlong \xff" + strings.Repeat("x", 2*MaxErrorBody))}
	got := e.Error()
	if !strings.HasPrefix(got, "PATCH /Users/1: the target refused the value (title): 400: too long �") || len(got) > MaxErrorBody+200 || strings.Contains(got, "\n") {
		t.Errorf("got %q", got)
	}
}

var people = ObjectType{Name: TypeUser, Attributes: []Attribute{
	{Name: "uid", Required: true},
	{Name: "mail"},
	{Name: "mails", Remote: "mail", List: true, ReadOnly: true},
	{Name: "givenName", Remote: "name.givenName"},
	{Name: "vip", Type: "boolean"},
	{Name: "tags", List: true},
}}

func TestProfileAndValues(t *testing.T) {
	attributes := map[string][]string{"uid": {"ada"}, "mail": {"a@x", "b@x"}, "name.givenName": {"Ada"}, "vip": {"TRUE"}, "tags": {"x", "y"}, "other": {"1"}}
	profile := people.Profile(attributes)
	want := map[string]any{"uid": "ada", "mail": "a@x", "mails": []any{"a@x", "b@x"}, "givenName": "Ada", "vip": true, "tags": []any{"x", "y"}}
	if diff := cmp.Diff(want, profile); diff != "" {
		t.Errorf("profile: -want +got\n%s", diff)
	}
	profile["tags"], profile["vip"], profile["unknown"] = []any{"x", "", 2.5}, nil, "u"
	wantValues := map[string][]string{"uid": {"ada"}, "mail": {"a@x"}, "name.givenName": {"Ada"}, "tags": {"x", "2.5"}}
	if diff := cmp.Diff(wantValues, people.Values(profile)); diff != "" {
		t.Errorf("values: -want +got\n%s", diff)
	}
}

func TestDiff(t *testing.T) {
	observed := map[string][]string{"uid": {"ada"}, "mail": {"a@x", "b@x"}, "tags": {"x", "y"}, "vip": {"true"}}
	for _, test := range []struct {
		name    string
		profile map[string]any
		want    map[string]Change
	}{
		{"nothing is said", nil, map[string]Change{}},
		{"all the same", map[string]any{"uid": "ada", "mail": "a@x", "tags": []any{"y", "x"}, "vip": true, "mails": []any{"z"}}, map[string]Change{}},
		{"the first of several", map[string]any{"mail": "c@x"}, map[string]Change{"mail": {From: []string{"a@x", "b@x"}, To: []string{"c@x", "b@x"}}}},
		{"another one of several first", map[string]any{"mail": "b@x"}, map[string]Change{"mail": {From: []string{"a@x", "b@x"}, To: []string{"b@x"}}}},
		{"removed", map[string]any{"vip": nil, "tags": ""}, map[string]Change{"vip": {From: []string{"true"}}, "tags": {From: []string{"x", "y"}}}},
		{"new", map[string]any{"givenName": "Ada"}, map[string]Change{"name.givenName": {To: []string{"Ada"}}}},
		{"letter case", map[string]any{"uid": "Ada"}, map[string]Change{"uid": {From: []string{"ada"}, To: []string{"Ada"}}}},
	} {
		if diff := cmp.Diff(test.want, people.Diff(observed, test.profile).Set); diff != "" {
			t.Errorf("%s: -want +got\n%s", test.name, diff)
		}
	}
}

// TestSame: drift is what differs by the attribute's rule, and a list has no order.
func TestSame(t *testing.T) {
	for _, test := range []struct {
		a    Attribute
		x, y []string
		want bool
	}{
		{Attribute{}, []string{"A  b"}, []string{"a B"}, true},
		{Attribute{Match: MatchExact}, []string{"A"}, []string{"a"}, false},
		{Attribute{List: true}, []string{"a", "b"}, []string{"B", "a"}, true},
		{Attribute{}, []string{"a", "b"}, []string{"b", "a"}, false},
		{Attribute{}, nil, []string{"a"}, false},
	} {
		if got := test.a.Same(test.x, test.y); got != test.want {
			t.Errorf("%+v: %v and %v: %v", test.a, test.x, test.y, got)
		}
	}
}
