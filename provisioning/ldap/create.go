package ldap

import (
	"context"
	"errors"
	"slices"

	goldap "github.com/go-ldap/ldap/v3"

	"github.com/provost-id/provost/provisioning"
)

// Create adds an entry with the object classes of the settings and reads its identifier back.
func (c *Connector) Create(ctx context.Context, o provisioning.Object, key provisioning.Key) (provisioning.Ref, error) {
	dn, err := c.newDN(ctx, o)
	if err != nil {
		return provisioning.Ref{}, err
	}
	ref := provisioning.Ref{Type: o.Type, Name: foldDN(dn)}
	err = c.with(ctx, o.Type, func(conn *goldap.Conn, d *dialect) error {
		req, err := c.addRequest(conn, d, dn, o, key)
		if err != nil {
			return err
		}
		if err := conn.Add(req); err != nil {
			return added(fail("add "+ref.Name, err))
		}
		e, err := c.findName(conn, d, ref, []string{d.idAttribute})
		if err != nil {
			// The entry may be there, and we cannot say which it is.
			return &provisioning.Error{Kind: provisioning.ErrUnknown, Op: "add " + ref.Name, Err: err}
		}
		ref.ID = d.identifier(e)
		return nil
	})
	if c.settings.idAttribute != "" {
		ref.ExternalID = string(key)
	}
	return ref, err
}

// added is the error of an add. Without an answer its outcome is open: of all requests, this one is not to be repeated.
func added(err error) error {
	if broken(err) {
		return &provisioning.Error{Kind: provisioning.ErrUnknown, Op: "add", Err: err}
	}
	return err
}

func (c *Connector) addRequest(conn *goldap.Conn, d *dialect, dn *goldap.DN, o provisioning.Object, key provisioning.Key) (*goldap.AddRequest, error) {
	req := goldap.NewAddRequest(foldDN(dn), nil)
	classes := c.settings.userClasses
	if o.Type == provisioning.TypeGroup {
		classes = c.settings.groupClasses
	}
	req.Attribute("objectClass", classes)
	all := attributesToAdd(o, dn)
	if c.settings.idAttribute != "" && key != "" {
		name, _ := lookup(all, c.settings.idAttribute)
		all[name] = []string{string(key)}
	}
	if o.Type == provisioning.TypeGroup {
		dns, err := c.memberNames(conn, d, o.Members, true)
		if err != nil {
			return nil, err
		}
		all[c.settings.memberAttribute] = defaultStrings(dns, placeholder)
	} else if !o.Active {
		all[c.settings.disable.attribute] = []string{c.settings.disable.value}
	}
	for _, name := range sortedKeys(all) {
		req.Attribute(name, all[name])
	}
	return req, nil
}

// attributesToAdd are the object's own, and those that the first part of the DN says.
func attributesToAdd(o provisioning.Object, dn *goldap.DN) map[string][]string {
	all := make(map[string][]string, len(o.Attributes)+2)
	for name, v := range o.Attributes {
		if v = nonEmpty(v); len(v) > 0 && name != "dn" && name != "objectClass" {
			all[name] = v
		}
	}
	for _, a := range dn.RDNs[0].Attributes {
		if name, v := lookup(all, a.Type); len(v) == 0 {
			all[name] = []string{a.Value}
		}
	}
	return all
}

// nonEmpty leaves out empty values, which most syntaxes of LDAP do not allow.
func nonEmpty(values []string) []string {
	return slices.DeleteFunc(slices.Clone(values), func(v string) bool { return v == "" })
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// Delete removes an entry. It is found by its identifier first, so that nobody else is met who has its DN by now.
func (c *Connector) Delete(ctx context.Context, r provisioning.Ref) error {
	err := c.with(ctx, r.Type, func(conn *goldap.Conn, d *dialect) error {
		e, err := c.find(conn, d, r, []string{"1.1"})
		if err != nil {
			return err
		}
		return fail("delete "+e.DN, conn.Del(goldap.NewDelRequest(e.DN, nil)))
	})
	if errors.Is(err, provisioning.ErrNotFound) {
		return nil
	}
	return err
}
