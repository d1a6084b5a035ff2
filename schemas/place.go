package schemas

// placeAll marks the attributes that live outside the document, or in a column.
func (t *Type) placeAll() {
	places := map[string]place{
		"schemas": isSchemas, "id": isID, "externalid": isExternalID, "meta": isMeta,
		"active": isActive, "password": isPassword, "members": isMembers, "groups": isGroups,
	}
	for name, p := range places {
		if a := t.root.byName[name]; a != nil {
			a.place = p
		}
	}
	columns := map[string]Where{
		"id": InID, "externalId": InExternalID, "active": InActive,
		"meta.created": InCreated, "meta.lastModified": InModified,
		"meta.version": InVersion, "meta.resourceType": InResourceType, "meta.location": InLocation, "schemas": InSchemas,
		"userName": InUserName, "displayName": InDisplayName,
		"name.familyName": InFamilyName, "name.givenName": InGivenName,
	}
	for _, a := range t.attrs {
		if w, ok := columns[a.path]; ok && a.ref != nil {
			a.ref.Where = w
		}
		t.placeSub(a)
	}
	if a := t.root.byName["username"]; a != nil {
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
