package ldap

import (
	"context"
	"slices"

	goldap "github.com/go-ldap/ldap/v3"

	"github.com/provost-id/provost/provisioning"
)

const (
	// memberChunk bounds the values in one modify.
	memberChunk = 200
	// lookupChunk bounds the identifiers in one filter.
	lookupChunk = 100
)

// PatchMembers writes only the members that come and go, never the whole list.
func (c *Connector) PatchMembers(ctx context.Context, group provisioning.Ref, add, remove []provisioning.Ref) error {
	group.Type = provisioning.TypeGroup
	return c.with(ctx, group.Type, func(conn *goldap.Conn, d *dialect) error {
		e, err := c.find(conn, d, group, []string{"1.1"})
		if err != nil {
			return err
		}
		added, err := c.memberNames(conn, d, add, true)
		if err != nil {
			return err
		}
		removed, err := c.memberNames(conn, d, remove, false)
		if err != nil {
			return err
		}
		g := &membership{c: c, d: d, conn: conn, dn: e.DN}
		return g.apply(added, removed)
	})
}

// membership is a change of one group under way.
type membership struct {
	c    *Connector
	d    *dialect
	conn *goldap.Conn
	dn   string
}

// apply adds before it removes, so that the group is never empty in between.
func (g *membership) apply(added, removed []string) error {
	for chunk := range slices.Chunk(added, memberChunk) {
		if err := g.change(chunk, true); err != nil {
			return err
		}
	}
	if len(added) > 0 {
		// A group that was empty has someone now.
		if err := g.change([]string{placeholder}, false); err != nil {
			return err
		}
	}
	for chunk := range slices.Chunk(removed, memberChunk) {
		if err := g.change(chunk, false); err != nil {
			return err
		}
	}
	return nil
}

// change adds or removes a few members. Only those that the server refuses to know are looked at one by one.
func (g *membership) change(dns []string, add bool) error {
	err := g.modify(dns, add, false)
	if isCode(err, goldap.LDAPResultAttributeOrValueExists, goldap.LDAPResultNoSuchAttribute) {
		if dns, err = g.remaining(dns, add); err != nil || len(dns) == 0 {
			return err
		}
		err = g.modify(dns, add, false)
	}
	if !add && isCode(err, goldap.LDAPResultObjectClassViolation) {
		err = g.modify(dns, add, true) // the last one goes
	}
	return err
}

func (g *membership) modify(dns []string, add, leavePlaceholder bool) error {
	m := goldap.NewModifyRequest(g.dn, nil)
	attribute := g.c.settings.memberAttribute
	if g.d.permissive {
		m.Controls = append(m.Controls, goldap.NewControlString(controlPermissiveModify, true, ""))
	}
	if leavePlaceholder {
		m.Add(attribute, []string{placeholder})
	}
	if add {
		m.Add(attribute, dns)
	} else {
		m.Delete(attribute, dns)
	}
	return fail("modify the members of "+g.dn, g.conn.Modify(m))
}

// remaining leaves out the members that are already as they shall be.
func (g *membership) remaining(dns []string, add bool) ([]string, error) {
	var out []string
	for _, dn := range dns {
		is, err := g.conn.Compare(g.dn, g.c.settings.memberAttribute, dn)
		if err != nil && !isCode(err, goldap.LDAPResultNoSuchAttribute) {
			return nil, fail("compare the members of "+g.dn, err)
		}
		if is != add {
			out = append(out, dn)
		}
	}
	return out, nil
}

// memberNames turns references into DNs as they are now. A member to be added must exist; one to be removed may be gone,
// and is then taken out by the name that it had.
func (c *Connector) memberNames(conn *goldap.Conn, d *dialect, refs []provisioning.Ref, must bool) ([]string, error) {
	byID := make(map[string]string, len(refs))
	for chunk := range slices.Chunk(refs, lookupChunk) {
		if err := c.lookupNames(conn, d, chunk, byID); err != nil {
			return nil, err
		}
	}
	var out []string
	for _, r := range refs {
		dn := byID[r.ID]
		switch {
		case dn != "":
		case r.ID != "" && must:
			return nil, notFound(r)
		case r.Name != "":
			dn = r.Name
		default:
			continue
		}
		if !slices.Contains(out, dn) {
			out = append(out, dn)
		}
	}
	return out, nil
}

// lookupNames finds entries by their identifiers, users and groups alike.
func (c *Connector) lookupNames(conn *goldap.Conn, d *dialect, refs []provisioning.Ref, byID map[string]string) error {
	for _, base := range []*goldap.DN{c.settings.userBase, c.settings.groupBase} {
		var filters []string
		for _, r := range refs {
			if r.ID != "" && byID[r.ID] == "" {
				f, err := d.filterID(r.ID)
				if err != nil {
					return err
				}
				filters = append(filters, f)
			}
		}
		if base == nil || len(filters) == 0 {
			continue
		}
		res, err := conn.Search(goldap.NewSearchRequest(foldDN(base), goldap.ScopeWholeSubtree, goldap.NeverDerefAliases, 0, 0, false,
			or(filters...), []string{d.idAttribute}, nil))
		if err != nil {
			return fail("find members", err)
		}
		for _, e := range res.Entries {
			byID[d.identifier(e)] = normalDN(e.DN)
		}
	}
	return nil
}
