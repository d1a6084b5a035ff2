package scim

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestRFC7644_3_12_Error: status is a string, and detail is always there.
func TestRFC7644_3_12_Error(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		body ErrorBody
		want string
	}{
		{NewError(400, "invalidFilter", "no such attribute"), `{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"400","scimType":"invalidFilter","detail":"no such attribute"}`},
		{NewError(404, "", ""), `{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"404","detail":""}`},
	} {
		got, err := json.Marshal(c.body)
		if err != nil || string(got) != c.want {
			t.Errorf("got %s, %v; want %s", got, err, c.want)
		}
	}
}

// TestListResponse_ResourcesCase: servers that answer with "resources" are read too.
func TestListResponse_ResourcesCase(t *testing.T) {
	t.Parallel()
	var l ListResponse
	if err := json.Unmarshal([]byte(`{"totalResults":1,"resources":[{"id":"1"}]}`), &l); err != nil || len(l.Resources) != 1 {
		t.Fatalf("got %+v, %v", l, err)
	}
	b, err := json.Marshal(ListResponse{Schemas: []string{MessageList}, Resources: []json.RawMessage{}})
	want := `{"schemas":["` + MessageList + `"],"totalResults":0,"itemsPerPage":0,"Resources":[]}`
	if err != nil || string(b) != want {
		t.Errorf("got %s, %v; want %s", b, err, want)
	}
}

// TestServiceProviderConfig_URIs: a URI that is not set is left out, since the empty
// string is none and strict clients refuse the document.
func TestServiceProviderConfig_URIs(t *testing.T) {
	t.Parallel()
	b, err := json.Marshal(ServiceProviderConfig{
		Schemas: []string{ServiceProviderSchema}, AuthenticationSchemes: []AuthenticationScheme{{Type: "oauthbearertoken", Name: "n", Description: "d"}},
		Meta: Meta{ResourceType: "ServiceProviderConfig"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(b), "Uri") || strings.Contains(string(b), `""`) {
		t.Errorf("empty URIs in %s", b)
	}
	for _, key := range []string{"patch", "bulk", "filter", "changePassword", "sort", "etag", "authenticationSchemes"} {
		if !strings.Contains(string(b), `"`+key+`":`) {
			t.Errorf("no %s in %s", key, b)
		}
	}
}

func TestPatchRequest_RoundTrip(t *testing.T) {
	t.Parallel()
	want := PatchRequest{Schemas: []string{MessagePatch}, Operations: []PatchOperation{
		{Op: "add", Path: "members", Value: json.RawMessage(`[{"value":"a"}]`)},
		{Op: "remove", Path: `members[value eq "b"]`},
	}}
	b, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got PatchRequest
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
