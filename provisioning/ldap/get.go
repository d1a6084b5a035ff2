package ldap

import (
	"context"

	goldap "github.com/go-ldap/ldap/v3"

	"github.com/provost-id/provost/provisioning"
)

// Get finds an object by its identifier; else by our own ID, if an attribute keeps that; else by its name, which is a DN,
// or the uid of a user, or the cn of a group.
func (c *Connector) Get(ctx context.Context, r provisioning.Ref) (provisioning.Object, error) {
	var o provisioning.Object
	err := c.with(ctx, r.Type, func(conn *goldap.Conn, d *dialect) error {
		w := wanted(r.Type, nil)
		e, err := c.find(conn, d, r, c.requested(d, r.Type, w))
		if err == nil {
			o, err = c.object(d, r.Type, e, w)
		}
		return err
	})
	return o, err
}

// with runs fn on a pooled connection with the server's dialect, for an object type that the app has.
func (c *Connector) with(ctx context.Context, typ string, fn func(*goldap.Conn, *dialect) error) error {
	if c.base(typ) == nil {
		return configError("groupBaseDn", "missing: the directory has no groups")
	}
	d, err := c.ask(ctx)
	if err != nil {
		return err
	}
	return c.pool.do(ctx, func(conn *goldap.Conn) error { return fn(conn, d) })
}

// find reads the one entry that a Ref means.
func (c *Connector) find(conn *goldap.Conn, d *dialect, r provisioning.Ref, attributes []string) (*goldap.Entry, error) {
	if r.ID != "" {
		filter, err := d.filterID(r.ID)
		if err != nil {
			return nil, err
		}
		return c.one(conn, r, goldap.ScopeWholeSubtree, foldDN(c.base(r.Type)), filter, attributes)
	}
	if r.ExternalID != "" && c.settings.idAttribute != "" {
		filter := and(c.filter(r.Type), equals(c.settings.idAttribute, r.ExternalID))
		e, err := c.one(conn, r, goldap.ScopeWholeSubtree, foldDN(c.base(r.Type)), filter, attributes)
		if err == nil || r.Name == "" || !isNotFound(err) {
			return e, err
		}
	}
	return c.findName(conn, d, r, attributes)
}

func (c *Connector) findName(conn *goldap.Conn, d *dialect, r provisioning.Ref, attributes []string) (*goldap.Entry, error) {
	if r.Name == "" {
		return nil, notFound(r)
	}
	if dn, err := parseDN(r.Name); err == nil {
		if !c.base(r.Type).AncestorOfFold(dn) {
			return nil, notFound(r)
		}
		return c.one(conn, r, goldap.ScopeBaseObject, foldDN(dn), c.filter(r.Type), attributes)
	}
	filter := and(c.filter(r.Type), d.named(r.Type, r.Name))
	return c.one(conn, r, goldap.ScopeWholeSubtree, foldDN(c.base(r.Type)), filter, attributes)
}

// named finds an object by what people call it.
func (d *dialect) named(typ, name string) string {
	switch {
	case typ == provisioning.TypeGroup:
		return equals("cn", name)
	case d.idAttribute == "objectGUID":
		return or(equals("sAMAccountName", name), equals("userPrincipalName", name))
	}
	return equals("uid", name)
}

// one is a search that must find exactly one entry.
func (c *Connector) one(conn *goldap.Conn, r provisioning.Ref, scope int, base, filter string, attributes []string) (*goldap.Entry, error) {
	op := "find " + r.Type + " " + label(r)
	res, err := conn.Search(goldap.NewSearchRequest(base, scope, goldap.NeverDerefAliases, 2, 0, false, filter, attributes, nil))
	switch {
	case isCode(err, goldap.LDAPResultSizeLimitExceeded) || err == nil && len(res.Entries) > 1:
		return nil, &provisioning.Error{Kind: provisioning.ErrConflict, Op: op, Body: "several entries match"}
	case isCode(err, goldap.LDAPResultNoSuchObject) && scope != goldap.ScopeBaseObject:
		// The base is away: that says nothing of the entries below it.
		return nil, &provisioning.Error{Kind: provisioning.ErrTransient, Op: op, Status: goldap.LDAPResultNoSuchObject, Body: base + " is not there"}
	case err != nil:
		return nil, fail(op, err)
	case len(res.Entries) == 0:
		return nil, notFound(r)
	}
	return res.Entries[0], nil
}

// label names an object in messages.
func label(r provisioning.Ref) string {
	switch {
	case r.Name != "":
		return r.Name
	case r.ID != "":
		return r.ID
	}
	return r.ExternalID
}

func notFound(r provisioning.Ref) error {
	return &provisioning.Error{Kind: provisioning.ErrNotFound, Op: "find " + r.Type + " " + label(r), Status: goldap.LDAPResultNoSuchObject}
}

func isNotFound(err error) bool { return isCode(err, goldap.LDAPResultNoSuchObject) }
