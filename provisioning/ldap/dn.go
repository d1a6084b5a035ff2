package ldap

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	goldap "github.com/go-ldap/ldap/v3"

	"github.com/provost-id/provost/provisioning"
)

// normalDN writes a DN as this package names entries: types and values in lower case, inner spaces single, escapes as RFC 4514 asks,
// other scripts left readable. Two DNs of one entry are equal as strings; what is no DN stays as it is.
func normalDN(s string) string {
	dn, err := parseDN(s)
	if err != nil {
		return s
	}
	return foldDN(dn)
}

// parseDN is stricter than go-ldap: types are names or OIDs (RFC 4514, section 3), values are not empty and are UTF-8.
func parseDN(s string) (*goldap.DN, error) {
	dn, err := goldap.ParseDN(s)
	if err != nil {
		return nil, err
	}
	if len(dn.RDNs) == 0 {
		return nil, errors.New("empty")
	}
	for _, r := range dn.RDNs {
		for _, a := range r.Attributes {
			if !isAttributeName(a.Type) && (a.Type == "" || strings.Trim(a.Type, "0123456789.") != "") {
				return nil, fmt.Errorf("%q is no attribute type", a.Type)
			}
			if foldValue(a.Value) == "" || !utf8.ValidString(a.Value) {
				return nil, fmt.Errorf("no value of %s, or not in UTF-8", a.Type)
			}
		}
	}
	return dn, nil
}

func foldDN(dn *goldap.DN) string {
	rdns := make([]string, len(dn.RDNs))
	for i, r := range dn.RDNs {
		parts := make([]string, len(r.Attributes))
		for j, a := range r.Attributes {
			parts[j] = strings.ToLower(a.Type) + "=" + goldap.EscapeDN(foldValue(a.Value))
		}
		slices.Sort(parts)
		rdns[i] = strings.Join(parts, "+")
	}
	return strings.Join(rdns, ",")
}

func foldValue(s string) string { return strings.ToLower(strings.Join(strings.Fields(s), " ")) }

// newDN says where a new object goes: to the DN that it names, to what the template makes of a user's profile, or below the base.
func (c *Connector) newDN(ctx context.Context, o provisioning.Object) (*goldap.DN, error) {
	base, naming := c.settings.userBase, "uid"
	if o.Type == provisioning.TypeGroup {
		base, naming = c.settings.groupBase, "cn"
	}
	if base == nil {
		return nil, configError("groupBaseDn", "missing: the directory takes no groups")
	}
	text := o.Name
	if text == "" && o.Type == provisioning.TypeUser && c.options.DNTemplate != nil {
		t, _ := schema.Type(o.Type)
		var err error
		if text, err = c.options.DNTemplate(ctx, t.Profile(o.Attributes)); err != nil {
			return nil, configError("userDnTemplate", "%w", err)
		}
	}
	if text == "" {
		v := o.Attributes[naming]
		if len(v) == 0 {
			return nil, invalid("name a new "+o.Type, naming, "missing, and the DN is made of it")
		}
		text = naming + "=" + goldap.EscapeDN(v[0]) + "," + foldDN(base)
	}
	return checkDN(text, base, o)
}

// checkDN refuses a DN outside the base, and one whose first part contradicts the object. A template that joins strings
// without escaping is thereby harmless.
func checkDN(text string, base *goldap.DN, o provisioning.Object) (*goldap.DN, error) {
	dn, err := parseDN(text)
	if err != nil {
		return nil, invalid("name "+text, "dn", err.Error())
	}
	if !base.AncestorOfFold(dn) {
		return nil, invalid("name "+text, "dn", "not below "+foldDN(base))
	}
	for _, a := range dn.RDNs[0].Attributes {
		_, values := lookup(o.Attributes, a.Type)
		if len(values) > 0 && !containsFold(values, a.Value) {
			return nil, invalid("name "+text, a.Type, fmt.Sprintf("the DN says %q, the attribute does not", a.Value))
		}
	}
	return dn, nil
}

// lookup finds an attribute whatever the case of its name.
func lookup(attributes map[string][]string, name string) (string, []string) {
	for n, values := range attributes {
		if strings.EqualFold(n, name) {
			return n, values
		}
	}
	return name, nil
}

func containsFold(values []string, value string) bool {
	return slices.ContainsFunc(values, func(v string) bool { return foldValue(v) == foldValue(value) })
}

func invalid(op, attribute, reason string) error {
	return &provisioning.Error{Kind: provisioning.ErrInvalid, Op: op, Attr: attribute, Body: reason}
}

// equals is the filter (attribute=value), value escaped. The attribute is a name from settings or code.
func equals(attribute, value string) string {
	return "(" + attribute + "=" + goldap.EscapeFilter(value) + ")"
}

func and(filters ...string) string { return "(&" + strings.Join(filters, "") + ")" }

func or(filters ...string) string { return "(|" + strings.Join(filters, "") + ")" }
