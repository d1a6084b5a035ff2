package schemas

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	vocabulary "github.com/elimity-com/scim/schema"
)

const baseURL = "https://x/scim/v2"

func TestRFC7644_4_Schemas(t *testing.T) {
	t.Parallel()
	var list struct {
		Schemas      []string
		TotalResults int
		ItemsPerPage int
		Resources    []struct {
			Schemas    []string
			ID, Name   string
			Attributes []map[string]any
			Meta       struct{ ResourceType, Location string }
		}
	}
	if err := json.Unmarshal(compiled.SchemasJSON(baseURL), &list); err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, s := range list.Resources {
		ids = append(ids, s.ID)
		if s.Name == "" || s.Meta.ResourceType != "Schema" || s.Meta.Location != baseURL+"/Schemas/"+s.ID || len(s.Schemas) != 1 {
			t.Errorf("schema %s: %+v", s.ID, s)
		}
		for _, a := range s.Attributes {
			for _, key := range []string{"name", "type", "multiValued", "required", "mutability", "returned"} {
				if _, ok := a[key]; !ok {
					t.Errorf("%s: attribute %v has no %s", s.ID, a["name"], key)
				}
			}
		}
	}
	want := []string{userURN, enterpriseURN, orgURN, "urn:ietf:params:scim:schemas:core:2.0:Group", "urn:provost:params:scim:schemas:extension:org:2.0:Group"}
	if diff := cmp.Diff(want, ids); diff != "" || list.TotalResults != 5 || list.ItemsPerPage != 5 {
		t.Errorf("schemas (-want +got):\n%s", diff)
	}
}

// TestSchemaJSON_Vocabulary: the documents are what elimity-com/scim makes of the same
// schemas, but for what this package changes on purpose.
func TestSchemaJSON_Vocabulary(t *testing.T) {
	t.Parallel()
	for _, v := range []vocabulary.Schema{vocabulary.CoreUserSchema(), vocabulary.CoreGroupSchema(), vocabulary.ExtensionEnterpriseUser()} {
		b, ok := compiled.SchemaJSON(baseURL, strings.ToUpper(v.ID))
		if !ok {
			t.Fatalf("no schema %s", v.ID)
		}
		got := object(t, b)
		delete(got, "meta")
		want := object(t, mustMarshal(v.ToMap()))
		if v.ID == "urn:ietf:params:scim:schemas:core:2.0:Group" {
			members := want["attributes"].([]any)[1].(map[string]any)
			members["description"] = members["description"].(string) + pagedMembers
			display := members["subAttributes"].([]any)[3].(map[string]any)
			display["mutability"], display["returned"] = "readOnly", "request"
		}
		if v.ID == enterpriseURN {
			manager := want["attributes"].([]any)[5].(map[string]any)
			manager["subAttributes"].([]any)[2].(map[string]any)["mutability"] = "readWrite"
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-vocabulary +ours):\n%s", v.ID, diff)
		}
	}
	if _, ok := compiled.SchemaJSON(baseURL, "urn:nosuch"); ok {
		t.Error("an unknown schema is found")
	}
}

func TestRFC7643_6_ResourceTypes(t *testing.T) {
	t.Parallel()
	b, ok := compiled.ResourceTypeJSON(baseURL, "User")
	if !ok {
		t.Fatal("no User")
	}
	want := `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:ResourceType"],"id":"User","name":"User","endpoint":"/Users",
		"description":"User Account","schema":"` + userURN + `","schemaExtensions":[{"schema":"` + enterpriseURN + `","required":false},{"schema":"` + orgURN + `","required":false}],
		"meta":{"resourceType":"ResourceType","location":"` + baseURL + `/ResourceTypes/User"}}`
	if diff := cmp.Diff(object(t, []byte(want)), object(t, b)); diff != "" {
		t.Errorf("User (-want +got):\n%s", diff)
	}
	list := object(t, compiled.ResourceTypesJSON(baseURL))
	if got := len(list["Resources"].([]any)); got != 2 {
		t.Errorf("%d resource types", got)
	}
	if _, ok := compiled.ResourceTypeJSON(baseURL, "Users"); ok {
		t.Error("an unknown resource type is found")
	}
}

// TestRFC7643_7_EmptyExtension: the attributes of a schema are required, and an empty
// list is as good as none (RFC 7643, section 2.5). So an extension without attributes
// is not there yet.
func TestRFC7643_7_EmptyExtension(t *testing.T) {
	t.Parallel()
	types := Default()
	fresh, err := Compile(1, types)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := fresh.SchemaJSON(baseURL, orgURN); ok {
		t.Error("GET /Schemas/{id} shows an extension without attributes")
	}
	if strings.Contains(string(fresh.SchemasJSON(baseURL)), orgURN) {
		t.Error("GET /Schemas shows it")
	}
	b, _ := fresh.ResourceTypeJSON(baseURL, "User")
	if strings.Contains(string(b), orgURN) || !strings.Contains(string(b), enterpriseURN) {
		t.Errorf("the resource type names it: %s", b)
	}
	types[0].Extensions[1].Schema.Attributes = []Attribute{{Name: "badge", Type: String}}
	grown, err := Compile(2, types)
	if err != nil {
		t.Fatal(err)
	}
	b, _ = grown.ResourceTypeJSON(baseURL, "User")
	if _, ok := grown.SchemaJSON(baseURL, orgURN); !ok || !strings.Contains(string(b), orgURN) {
		t.Error("with its first attribute it is still hidden")
	}
}

// TestRFC7643_8_7_1_MembersDisplay: the name of a member is its own. What a client says
// of it is taken from every client and not kept.
func TestRFC7643_8_7_1_MembersDisplay(t *testing.T) {
	t.Parallel()
	b, _ := compiled.SchemaJSON(baseURL, "urn:ietf:params:scim:schemas:core:2.0:Group")
	var group struct {
		Attributes []struct {
			Name          string
			SubAttributes []struct{ Name, Mutability, Returned string }
		}
	}
	if err := json.Unmarshal(b, &group); err != nil {
		t.Fatal(err)
	}
	shown := ""
	for _, a := range group.Attributes {
		for _, s := range a.SubAttributes {
			if a.Name == "members" && s.Name == "display" {
				shown = s.Mutability + " " + s.Returned
			}
		}
	}
	if shown != "readOnly request" {
		t.Errorf("members.display is %q in the schema of Group: %s", shown, b)
	}
	for _, d := range []Dialect{Generic, Strict, Entra, Okta} {
		ops, err := typ("Group").ParsePatch([]byte(`{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
			"Operations":[{"op":"add","path":"members","value":[{"value":"a","display":"A"}]}]}`), d)
		if err != nil {
			t.Errorf("%s: %v", d.Name, err)
			continue
		}
		if _, m, err := SplitMembers(ops); err != nil || len(m.Add) != 1 || m.Add[0] != "a" {
			t.Errorf("%s: %+v, %v", d.Name, m, err)
		}
	}
}
