package scim

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/provost-id/provost/internal/testserver"
	"github.com/provost-id/provost/provisioning"
)

// create makes a user at the target from a profile.
func create(t *testing.T, c *Connector, profile map[string]any, key string) provisioning.Object {
	t.Helper()
	typ, _ := schema.Type(provisioning.TypeUser)
	ref, err := c.Create(t.Context(), provisioning.Object{
		Ref: provisioning.Ref{Type: provisioning.TypeUser}, Active: true, Attributes: typ.Values(profile),
	}, provisioning.Key(key))
	if err != nil {
		t.Fatalf("create: %v", err)
	}
	o, err := c.Get(t.Context(), provisioning.Ref{Type: provisioning.TypeUser, ID: ref.ID})
	if err != nil {
		t.Fatalf("get: %v", err)
	}
	return o
}

// last is the last request of a method, with what was in it.
func last(t *testing.T, s *testserver.SCIM, method string) map[string]any {
	t.Helper()
	var body map[string]any
	for _, r := range s.Requests(t) {
		if r.Method == method {
			body = nil
			if err := json.Unmarshal(r.Body, &body); err != nil {
				t.Fatal(err)
			}
		}
	}
	return body
}

// TestRFC7644_3_5_2_SmallestPatch sends to scimmy what differs, and nothing else.
func TestRFC7644_3_5_2_SmallestPatch(t *testing.T) {
	s := testserver.Scimmy(t, "")
	c := open(t, provisioning.Config{"baseUrl": s.URL})
	o := create(t, c, map[string]any{"userName": "ada", "givenName": "Ada", "familyName": "Lovelace", "email": "ada@example.com", "department": "R&D", "title": "T"}, "00u1")
	typ, _ := schema.Type(provisioning.TypeUser)
	delta := typ.Diff(o.Attributes, map[string]any{
		"userName": "ada", "givenName": "Adä", "familyName": "Lovelace", "middleName": "King", "email": "new@example.com", "secondEmail": "second@example.com",
		"streetAddress": "Rue 1", "city": "Zürich", "department": "<R>", "costCenter": "C1", "title": nil,
	})
	if _, err := c.Update(t.Context(), o.Ref, delta, o.Version); err != nil {
		t.Fatal(err)
	}
	enterprise := "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:"
	want := []any{
		map[string]any{"op": "replace", "path": `emails[type eq "work"].value`, "value": "new@example.com"},
		map[string]any{"op": "replace", "path": "name.givenName", "value": "Adä"},
		map[string]any{"op": "add", "path": "name.middleName", "value": "King"},
		map[string]any{"op": "remove", "path": "title"},
		map[string]any{"op": "add", "path": enterprise + "costCenter", "value": "C1"},
		map[string]any{"op": "replace", "path": enterprise + "department", "value": "<R>"},
		map[string]any{"op": "add", "path": "addresses", "value": []any{map[string]any{"type": "work", "locality": "Zürich", "streetAddress": "Rue 1", "primary": true}}},
		map[string]any{"op": "add", "path": "emails", "value": []any{map[string]any{"type": "other", "value": "second@example.com"}}},
	}
	if diff := cmp.Diff(want, last(t, s, "PATCH")["Operations"]); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	got, err := c.Get(t.Context(), o.Ref)
	if err != nil {
		t.Fatal(err)
	}
	if left := typ.Diff(got.Attributes, map[string]any{"email": "new@example.com", "secondEmail": "second@example.com", "city": "Zürich", "middleName": "King", "title": nil}); !left.Empty() {
		t.Errorf("not applied: %+v", left)
	}
}

// TestDeactivate sends one operation, and finds the user again by our own ID.
func TestDeactivate(t *testing.T) {
	s := testserver.Scimmy(t, "")
	c := open(t, provisioning.Config{"baseUrl": s.URL})
	o := create(t, c, map[string]any{"userName": "ada"}, "00u1")
	if got := last(t, s, "POST"); got["externalId"] != "00u1" || got["active"] != true {
		t.Errorf("posted %v", got)
	}
	off := false
	if _, err := c.Update(t.Context(), o.Ref, provisioning.Delta{Active: &off}, ""); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(last(t, s, "PATCH")["Operations"]); got != "[map[op:replace path:active value:false]]" {
		t.Errorf("patched %s", got)
	}
	got, err := c.Get(t.Context(), provisioning.Ref{Type: provisioning.TypeUser, ExternalID: "00u1"})
	if err != nil || got.ID != o.ID || got.Active {
		t.Errorf("by externalId: %+v, %v", got, err)
	}
}

// TestMembersAreNeverReplaced: no request to a group has more than what changes.
func TestMembersAreNeverReplaced(t *testing.T) {
	s := testserver.Scimmy(t, "")
	c := open(t, provisioning.Config{"baseUrl": s.URL, "profileSettings": map[string]any{"membersPerRequest": 2}})
	var refs []provisioning.Ref
	for i := range 5 {
		refs = append(refs, create(t, c, map[string]any{"userName": fmt.Sprintf("u%d", i)}, "").Ref)
	}
	group, err := c.Create(t.Context(), provisioning.Object{Ref: provisioning.Ref{Type: provisioning.TypeGroup},
		Attributes: map[string][]string{"displayName": {"g"}}}, "00g1")
	if err != nil {
		t.Fatal(err)
	}
	if err := c.PatchMembers(t.Context(), group, refs, nil); err != nil {
		t.Fatal(err)
	}
	if err := c.PatchMembers(t.Context(), group, refs[:1], refs[2:3]); err != nil {
		t.Fatal(err)
	}
	var sent []string
	for _, r := range s.Requests(t) {
		if r.Method == "PUT" {
			t.Errorf("a PUT: %s", r)
		}
		if r.Method == "PATCH" {
			sent = append(sent, string(r.Body))
		}
	}
	if len(sent) != 4 || strings.Count(sent[0], `{"value"`) != 2 || !strings.Contains(sent[3], `members[value eq \"`+refs[2].ID) {
		t.Errorf("sent %v", sent)
	}
	g, err := c.Get(t.Context(), group)
	if err != nil || len(g.Members) != 4 {
		t.Errorf("members %v, %v", g.Members, err)
	}
}

// TestReadFollowsTheTargetsPages of at most 200, as scimmy's ServiceProviderConfig says.
func TestReadFollowsTheTargetsPages(t *testing.T) {
	s := testserver.Scimmy(t, "")
	c := open(t, provisioning.Config{"baseUrl": s.URL})
	for i := range 130 {
		create(t, c, map[string]any{"userName": fmt.Sprintf("u%d", i)}, "")
	}
	n := 0
	end, err := c.Read(t.Context(), provisioning.ReadRequest{Type: provisioning.TypeUser}, func(b provisioning.Batch) error {
		n += len(b.Objects)
		return nil
	})
	if err != nil || !end.Complete || n != 130 || end.Total != 130 {
		t.Errorf("%d read, %+v, %v", n, end, err)
	}
}

func TestWrongToken(t *testing.T) {
	s := testserver.Scimmy(t, "right")
	c := open(t, provisioning.Config{"baseUrl": s.URL, "token": "wrong"})
	_, err := c.Describe(t.Context())
	var e *provisioning.Error
	if !errors.As(err, &e) || e.Kind != provisioning.ErrDenied || e.Status != 401 || e.Body != "Authorization not accepted" {
		t.Errorf("got %v", err)
	}
	if checks := c.Test(t.Context()); checks[len(checks)-1].OK {
		t.Errorf("checks: %+v", checks)
	}
}
