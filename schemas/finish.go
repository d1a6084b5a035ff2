package schemas

import "strings"

// schemas reads the schemas list of the body.
func (p *parser) schemas() error {
	if p.patching {
		return p.skip()
	}
	p.listed = true
	return p.array(func() error {
		s, err := p.str()
		p.named = append(p.named, s)
		return err
	})
}

// checkSchemas compares the schemas list with the body (RFC 7643, section 3).
func (p *parser) checkSchemas(root *node) error {
	core, strict := false, !p.d.OptionalSchemas
	for _, s := range p.named {
		a, ok := p.t.schema(s)
		core = core || ok && a == p.t.root || !strict && (ok || p.t.urnOfToday(s) != "")
		if strict && !ok {
			return errorf(InvalidSyntax, "schemas", "%q is no schema of %s", clip(s), p.t.Name)
		}
	}
	if !core && (strict || len(p.named) > 0) {
		return errorf(InvalidSyntax, "schemas", "want %q among them", p.t.def.Core.ID)
	}
	if !strict {
		return nil
	}
	for i := range root.kids {
		if a := root.kids[i].attr; a.extends && !containsFold(p.named, a.Name) {
			return errorf(InvalidSyntax, "schemas", "%q is used and not listed", a.Name)
		}
	}
	return nil
}

func containsFold(list []string, s string) bool {
	for _, l := range list {
		if strings.EqualFold(l, s) {
			return true
		}
	}
	return false
}

// checkRequired looks for required attributes that are missing, also inside of
// complex values that are there.
func checkRequired(n *node, scimType string) error {
	for _, a := range n.attr.subs {
		if !a.Required && a.Type != Complex || a.Mutability == ReadOnly || a.Default != nil {
			continue
		}
		k := n.kid(a)
		switch {
		case k == nil && a.Required:
			return errorf(scimType, a.path, "it is required and missing")
		case k == nil && a.mandatory:
			if err := checkRequired(&node{attr: a}, scimType); err != nil {
				return err
			}
		case k == nil || a.Type != Complex:
		case a.MultiValued:
			for i := range k.kids {
				if err := checkRequired(&k.kids[i], scimType); err != nil {
					return err
				}
			}
		default:
			if err := checkRequired(k, scimType); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkPrimary applies RFC 7643, section 2.4: primary is true at most once.
func checkPrimary(n *node) error {
	if n.attr.primary == nil {
		return nil
	}
	count := 0
	for i := range n.kids {
		if n.kids[i].isPrimary() {
			count++
		}
	}
	if count > 1 {
		return errorf(InvalidValue, n.attr.primary.path, "it is true for %d values; want one", count)
	}
	return nil
}

func (n *node) isPrimary() bool { return n.textOf(n.attr.primary) == "true" }

// resource splits a parsed body into the document and what is kept apart.
func (t *Type) resource(root node) (*Resource, error) {
	r := &Resource{Type: t}
	kept := root.kids[:0]
	for _, k := range root.kids {
		switch k.attr.place {
		case inDocument:
			kept = append(kept, k)
		case isExternalID:
			r.ExternalID = k.text
		case isPassword:
			r.Password = k.text
		case isActive:
			active := k.text == "true"
			r.Active = &active
		case isMembers:
			members, err := membersOf(&k)
			if err != nil {
				return nil, err
			}
			r.Members = members
		}
	}
	clear(root.kids[len(kept):]) // or members, which may be many, would stay in memory
	root.kids = kept
	r.root = root
	return r, nil
}

// join is the inverse of resource, for a PATCH: members stay apart.
func (r *Resource) join() node {
	root := r.root.clone()
	for _, a := range r.Type.root.subs {
		switch {
		case a.place == isExternalID && r.ExternalID != "":
			root.setText(a, r.ExternalID)
		case a.place == isPassword && r.Password != "":
			root.setText(a, r.Password)
		case a.place == isActive && r.Active != nil:
			root.setText(a, boolText(*r.Active))
		}
	}
	return root
}

func boolText(b bool) string {
	if b {
		return "true"
	}
	return "false"
}

// membersOf reads the elements of members. One that has only a $ref is taken by the
// last segment of its URL.
func membersOf(n *node) ([]Member, error) {
	members := make([]Member, 0, len(n.kids))
	for i := range n.kids {
		var m Member
		for _, k := range n.kids[i].kids {
			switch lower(k.attr.Name) {
			case "value":
				m.Value = k.text
			case "type":
				m.Type = k.text
			case "display":
				m.Display = k.text
			case "$ref":
				m.Ref = k.text
			}
		}
		if m.Value == "" {
			m.Value = m.Ref[strings.LastIndexByte(m.Ref, '/')+1:]
		}
		if m.Value == "" {
			return nil, errorf(InvalidValue, n.attr.path+".value", "a member without a value")
		}
		members = append(members, m)
	}
	return members, nil
}
