package scim

import (
	"net/http"

	"github.com/provost-id/provost/provisioning"
	wire "github.com/provost-id/provost/schemas/scim"
)

// endpoint is the path of a type.
func endpoint(typ string) string {
	if typ == provisioning.TypeGroup {
		return "Groups"
	}
	return "Users"
}

// object makes a resource ours.
func (c *Connector) object(typ string, t tree, wanted []string) provisioning.Object {
	o := provisioning.Object{
		Ref:        provisioning.Ref{Type: typ, ID: str(t, "id"), Name: str(t, naming(typ)), ExternalID: str(t, "externalId")},
		Attributes: map[string][]string{}, Active: active(t), Version: version(t, nil),
	}
	for _, remote := range wanted {
		p, err := parsePath(remote)
		if err != nil {
			continue // an attribute that this connector cannot have been asked for by its schema
		}
		if v := p.values(t); len(v) > 0 {
			o.Attributes[remote] = v
		}
	}
	if typ == provisioning.TypeGroup {
		o.Members, o.MembersUnknown = c.members(t)
	}
	return o
}

// members reads a group's. A round number of them may be the first page of more: some targets cut the list without a word,
// and whoever then removes the others has deleted people from groups.
func (c *Connector) members(t tree) ([]provisioning.Ref, bool) {
	list, told := lookup(t, "members").([]any)
	var out []provisioning.Ref
	for _, e := range list {
		m, _ := e.(tree)
		if id := str(m, "value"); id != "" {
			out = append(out, provisioning.Ref{Type: memberType(m), ID: id})
		}
	}
	cut := len(out) > 0 && (len(out)%100 == 0 || len(out) == c.settings.profile.MaxCount)
	return out, cut || c.settings.profile.MembersHidden && !told
}

func memberType(m tree) string {
	switch str(m, "type") {
	case "User":
		return provisioning.TypeUser
	case "Group":
		return provisioning.TypeGroup
	}
	return ""
}

// naming is the attribute that people know an object by.
func naming(typ string) string {
	if typ == provisioning.TypeGroup {
		return "displayName"
	}
	return "userName"
}

func str(t tree, name string) string {
	s, _ := lookup(t, name).(string)
	return s
}

// version is the ETag of a resource (RFC 7644, section 3.14), from the header or the body.
func version(t tree, h http.Header) string {
	if v := h.Get("ETag"); v != "" {
		return v
	}
	meta, _ := lookup(t, "meta").(tree)
	return str(meta, "version")
}

// body is a new resource.
func (c *Connector) body(o provisioning.Object, key provisioning.Key) (tree, error) {
	t := tree{}
	if key != "" {
		t["externalId"] = string(key)
	}
	if o.Type == provisioning.TypeUser {
		t["active"] = boolean(o.Active, c.settings.profile.BoolAsString)
	}
	for _, remote := range sortedKeys(o.Attributes) {
		p, err := parsePath(remote)
		if err != nil {
			return nil, &provisioning.Error{Kind: provisioning.ErrInvalid, Op: "create", Attr: remote, Err: err}
		}
		if v := nonEmpty(o.Attributes[remote]); len(v) > 0 {
			p.set(t, v)
		}
	}
	if len(o.Members) > 0 {
		t["members"] = memberValues(o.Members)
	}
	t["schemas"] = schemasOf(o.Type, t)
	return t, nil
}

// schemasOf lists the schemas that a resource uses (RFC 7643, section 3).
func schemasOf(typ string, t tree) []string {
	s := []string{wire.User}
	if typ == provisioning.TypeGroup {
		s = []string{wire.Group}
	}
	for _, k := range sortedKeys(t) {
		if len(k) > 4 && k[:4] == "urn:" {
			s = append(s, k)
		}
	}
	return s
}

func memberValues(refs []provisioning.Ref) []any {
	out := make([]any, len(refs))
	for i, r := range refs {
		out[i] = tree{"value": r.ID}
	}
	return out
}
