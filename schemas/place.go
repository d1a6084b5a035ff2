package schemas

import "github.com/provost-id/provost/schemas/scim"

// Where what is common to all resources lives, and what only users and groups have.
var (
	commonPlaces = map[string]place{"schemas": isSchemas, "id": isID, "externalid": isExternalID, "meta": isMeta}
	ownPlaces    = map[string]map[string]place{
		scim.User:  {"active": isActive, "password": isPassword, "groups": isGroups},
		scim.Group: {"members": isMembers},
	}
	commonColumns = map[string]Where{
		"id": InID, "externalId": InExternalID, "meta.created": InCreated, "meta.lastModified": InModified,
		"meta.version": InVersion, "meta.resourceType": InResourceType, "meta.location": InLocation, "schemas": InSchemas,
	}
	ownColumns = map[string]map[string]Where{
		scim.User: {
			"active": InActive, "userName": InUserName, "displayName": InDisplayName,
			"name.familyName": InFamilyName, "name.givenName": InGivenName,
		},
		scim.Group: {"displayName": InDisplayName},
	}
)

// placeAll marks the attributes that live outside the document, or in a column. A
// resource type of one's own keeps all that it has in its documents and in the index.
func (t *Type) placeAll() {
	for _, places := range []map[string]place{commonPlaces, ownPlaces[t.def.Core.ID]} {
		for name, p := range places {
			if a := t.root.byName[name]; a != nil {
				a.place = p
			}
		}
	}
	for _, a := range t.attrs {
		for _, columns := range []map[string]Where{commonColumns, ownColumns[t.def.Core.ID]} {
			if w, ok := columns[a.path]; ok && a.ref != nil {
				a.ref.Where = w
			}
		}
		t.placeSub(a)
	}
	if a := t.root.byName["username"]; a != nil && t.def.Core.ID == scim.User {
		a.fold = foldLogin
	}
}

// placeSub takes the reference away from what no filter may or can ask for: a
// password above all (RFC 7644, section 7.5.2: it must not be comparable).
func (t *Type) placeSub(a *attr) {
	top := a
	for top.parent != nil && top.parent != t.root {
		top = top.parent
	}
	switch {
	case a == t.root || a.extends || a.Mutability == WriteOnly || a.Returned == ReturnedNever:
		a.ref = nil
		t.secrets = t.secrets || a.secret && top.place == inDocument
	case top.place == isPassword:
		a.ref = nil
	case top.place == isMembers:
		a.placeRows(InMembers)
	case top.place == isGroups:
		a.placeRows(InGroups)
	}
}

// placeRows refers to the rows that hold memberships. Ids and references compare
// exactly (RFC 7643, section 2.3.7); a sub-attribute that the rows do not show is none
// that a filter can ask for.
func (a *attr) placeRows(w Where) {
	a.ref.Where = w
	if a.Type == Complex {
		return
	}
	switch sub := lower(a.Name); sub {
	case "value", "$ref":
		a.ref.Sub, a.fold = sub, foldExact
	case "type", "display":
		a.ref.Sub = sub
	default:
		a.ref = nil
	}
}
