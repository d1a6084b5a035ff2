package ldap

import (
	"context"
	"slices"
	"strings"

	goldap "github.com/go-ldap/ldap/v3"

	"github.com/provost-id/provost/provisioning"
)

// Update makes one modify of the values that differ, and before it a rename when the DN is made of one of them. Old values are named in it,
// so that the server refuses when it has others by now. A repeated update, which finds everything as it should be, succeeds.
// Directories have no version to ask for: values are what is compared.
func (c *Connector) Update(ctx context.Context, r provisioning.Ref, delta provisioning.Delta, _ string) (string, error) {
	return "", c.with(ctx, r.Type, func(conn *goldap.Conn, d *dialect) error {
		e, err := c.find(conn, d, r, []string{c.settings.disable.attribute})
		if err != nil {
			return err
		}
		dn, set, err := rename(conn, e, delta.Set)
		if err != nil {
			return err
		}
		m, err := c.modification(e, dn, set, delta.Active)
		if err != nil || len(m.Changes) == 0 {
			return err
		}
		err = conn.Modify(m)
		if isCode(err, goldap.LDAPResultNoSuchAttribute, goldap.LDAPResultAttributeOrValueExists) {
			return c.settle(conn, m, set, delta.Active, err)
		}
		return fail("modify "+dn, err)
	})
}

// modification is the smallest request that carries the changes.
func (c *Connector) modification(e *goldap.Entry, dn string, set map[string]provisioning.Change, active *bool) (*goldap.ModifyRequest, error) {
	m := goldap.NewModifyRequest(dn, nil)
	for _, name := range sortedKeys(set) {
		change(m, name, set[name].From, nonEmpty(set[name].To))
	}
	if active == nil {
		return m, nil
	}
	return m, c.settings.disable.apply(m, e, *active)
}

// change adds the smallest change of one attribute. Servers keep the order of values, and a profile shows the first one:
// where only taking out and putting in would leave another value first, all are written anew.
func change(m *goldap.ModifyRequest, name string, from, to []string) {
	removed, added := minus(from, to), minus(to, from)
	left := append(minus(from, removed), added...)
	if len(to) > 0 && len(left) > 0 && left[0] != to[0] {
		removed, added = from, to
	}
	switch {
	case len(from) == 0:
		m.Replace(name, to)
	default:
		if len(removed) > 0 {
			m.Delete(name, removed)
		}
		if len(added) > 0 {
			m.Add(name, added)
		}
	}
}

func minus(a, b []string) []string {
	return slices.DeleteFunc(slices.Clone(a), func(v string) bool { return slices.Contains(b, v) })
}

// settle reads what the server has after it refused old values: a repeated update has nothing left to do, anything else is drift.
func (c *Connector) settle(conn *goldap.Conn, m *goldap.ModifyRequest, set map[string]provisioning.Change, active *bool, refused error) error {
	res, err := conn.Search(goldap.NewSearchRequest(m.DN, goldap.ScopeBaseObject, goldap.NeverDerefAliases, 1, 0, false,
		"(objectClass=*)", append(sortedKeys(set), c.settings.disable.attribute), nil))
	if err != nil || len(res.Entries) != 1 {
		return fail("modify "+m.DN, refused)
	}
	e := res.Entries[0]
	for name, ch := range set {
		if !sameValues(name, e.GetEqualFoldAttributeValues(name), nonEmpty(ch.To)) {
			return fail("modify "+m.DN, refused)
		}
	}
	if active == nil {
		return nil
	}
	last := goldap.NewModifyRequest(m.DN, nil)
	if err := c.settings.disable.apply(last, e, *active); err != nil || len(last.Changes) == 0 {
		return err
	}
	return fail("modify "+m.DN, conn.Modify(last))
}

func sameValues(name string, a, b []string) bool {
	return provisioning.Attribute{List: true}.Same(values(name, a), values(name, b))
}

// rename gives an entry a new first part of its DN when an attribute in it changes, and says what remains to be changed.
func rename(conn *goldap.Conn, e *goldap.Entry, set map[string]provisioning.Change) (string, map[string]provisioning.Change, error) {
	dn, err := parseDN(e.DN)
	if err != nil {
		return e.DN, set, nil // a DN that the server itself wrote oddly: it is used as it is
	}
	rdn := dn.RDNs[0].Attributes
	name, ch, changed := naming(rdn[0], set)
	if !changed {
		return e.DN, set, nil
	}
	if len(rdn) > 1 || len(ch.To) == 0 {
		return "", nil, invalid("rename "+e.DN, name, "the DN is made of it")
	}
	old, fresh := rdn[0].Value, ch.To[0]
	if err := conn.ModifyDN(goldap.NewModifyDNRequest(e.DN, name+"="+goldap.EscapeDN(fresh), true, "")); err != nil {
		return "", nil, fail("rename "+e.DN, err)
	}
	rest := make(map[string]provisioning.Change, len(set))
	for n, v := range set {
		rest[n] = v
	}
	rest[name] = provisioning.Change{From: append(minus(ch.From, []string{old}), fresh), To: ch.To}
	dn.RDNs[0] = &goldap.RelativeDN{Attributes: []*goldap.AttributeTypeAndValue{{Type: name, Value: fresh}}}
	return foldDN(dn), rest, nil
}

// naming finds the change that takes away the value in the DN.
func naming(a *goldap.AttributeTypeAndValue, set map[string]provisioning.Change) (string, provisioning.Change, bool) {
	for _, name := range sortedKeys(set) {
		if strings.EqualFold(name, a.Type) && !slices.Contains(set[name].To, a.Value) {
			return name, set[name], true
		}
	}
	return "", provisioning.Change{}, false
}
