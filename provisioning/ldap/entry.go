package ldap

import (
	"slices"
	"strings"

	goldap "github.com/go-ldap/ldap/v3"

	"github.com/provost-id/provost/provisioning"
)

// placeholder is the member of a group that has none: groupOfNames needs one (RFC 4519, section 3.5). No entry has this DN.
const placeholder = "cn=nobody"

// wanted lists the attributes that an object shall show: all of the schema when none are named.
func wanted(typ string, named []string) []string {
	if len(named) > 0 {
		return named
	}
	t, _ := schema.Type(typ)
	for _, a := range t.Attributes {
		if n := a.RemoteName(); !slices.Contains(named, n) {
			named = append(named, n)
		}
	}
	return named
}

// requested lists what to ask the server for: the wanted attributes, and what every object needs.
func (c *Connector) requested(d *dialect, typ string, wanted []string) []string {
	needed := []string{d.idAttribute, c.settings.disable.attribute}
	if typ == provisioning.TypeGroup {
		needed = []string{d.idAttribute, c.settings.memberAttribute}
	}
	if c.settings.idAttribute != "" {
		needed = append(needed, c.settings.idAttribute)
	}
	for _, a := range wanted {
		if a != "dn" && !slices.Contains(needed, a) {
			needed = append(needed, a)
		}
	}
	return needed
}

// object makes an entry ours. An entry without an identifier cannot be linked to anything, and is an error.
func (c *Connector) object(d *dialect, typ string, e *goldap.Entry, wanted []string) (provisioning.Object, error) {
	o := provisioning.Object{
		Ref:        provisioning.Ref{Type: typ, ID: d.identifier(e), Name: normalDN(e.DN)},
		Attributes: make(map[string][]string, len(e.Attributes)+1),
		Active:     !c.settings.disable.marks(e),
	}
	if o.ID == "" {
		return o, &provisioning.Error{Kind: provisioning.ErrInvalid, Op: "read " + e.DN, Attr: d.idAttribute,
			Body: "the entry shows no " + d.idAttribute + ": may " + c.settings.bindDN + " read it?"}
	}
	o.Attributes["dn"] = []string{e.DN}
	for _, a := range e.Attributes {
		c.addAttribute(&o, a, wanted)
	}
	return o, nil
}

func (c *Connector) addAttribute(o *provisioning.Object, a *goldap.EntryAttribute, wanted []string) {
	group := o.Type == provisioning.TypeGroup
	name := asAsked(a.Name, wanted)
	switch {
	case group && strings.EqualFold(a.Name, c.settings.memberAttribute):
		o.Members = append(o.Members, members(a.Values)...)
	case group && strings.HasPrefix(strings.ToLower(a.Name), strings.ToLower(c.settings.memberAttribute)+";range="):
		// Active Directory shows the first 1,500: more than it told must not be taken for all.
		o.Members, o.MembersUnknown = append(o.Members, members(a.Values)...), true
	case len(a.Values) == 0 || !slices.Contains(wanted, name):
	default:
		o.Attributes[name] = values(name, a.Values)
	}
	if c.settings.idAttribute != "" && strings.EqualFold(a.Name, c.settings.idAttribute) && len(a.Values) > 0 {
		o.ExternalID = a.Values[0]
	}
}

// asAsked spells an attribute as it was asked for; servers answer in their own spelling.
func asAsked(name string, wanted []string) string {
	for _, w := range wanted {
		if strings.EqualFold(w, name) {
			return w
		}
	}
	return name
}

func values(name string, raw []string) []string {
	out := make([]string, len(raw))
	for i, v := range raw {
		out[i] = strings.ToValidUTF8(v, "�")
		if isReference(name) {
			out[i] = normalDN(out[i])
		}
	}
	return out
}

func members(dns []string) []provisioning.Ref {
	out := make([]provisioning.Ref, 0, len(dns))
	for _, dn := range dns {
		if n := normalDN(dn); n != placeholder {
			out = append(out, provisioning.Ref{Name: n})
		}
	}
	return out
}
