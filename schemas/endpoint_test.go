package schemas

import (
	"strings"
	"testing"
)

// TestRFC7644_3_2_Endpoints: a resource type has an endpoint of its own, of one name.
func TestRFC7644_3_2_Endpoints(t *testing.T) {
	t.Parallel()
	for endpoint, ok := range map[string]bool{
		"/Devices": true, "/Badge-Readers": true, "": false, "Devices": false, "/": false, "/Devices/": false, "/a/b": false, "/.search": false,
		"/{id}": false, "/De vices": false, "/Users": false, "/users": false, "/Me": false, "/bulk": false, "/Schemas": false,
		"/ResourceTypes": false, "/ServiceProviderConfig": false, "/" + strings.Repeat("a", 200): false,
	} {
		types := append(Default(), ResourceType{Name: "Device", Endpoint: endpoint, Core: Schema{
			ID: "urn:example:schemas:Device", Name: "Device", Attributes: []Attribute{{Name: "label", Type: String}},
		}})
		s, err := Compile(1, types)
		if (err == nil) != ok {
			t.Errorf("endpoint %q: %v", endpoint, err)
		}
		if err != nil {
			continue
		}
		if found, ok := s.TypeAt(endpoint[1:]); !ok || found.Name != "Device" {
			t.Errorf("nothing at %s", endpoint)
		}
		if _, ok := s.TypeAt(strings.ToLower(endpoint[1:])); ok {
			t.Errorf("%s is found in another case", endpoint)
		}
	}
}
