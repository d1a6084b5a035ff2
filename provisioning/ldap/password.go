package ldap

import (
	"context"
	"errors"

	goldap "github.com/go-ldap/ldap/v3"

	"github.com/provost-id/provost/provisioning"
)

// SetPassword uses the extended operation of RFC 3062, so that the server hashes the password as it likes. An overlay that
// takes a new password for a reason to unlock an account is corrected: who was deactivated stays so.
func (c *Connector) SetPassword(ctx context.Context, r provisioning.Ref, password string) error {
	if !sendable(password) {
		return invalid("set the password of "+label(r), "password", "empty, or with a NUL in it")
	}
	r.Type = provisioning.TypeUser
	return c.with(ctx, r.Type, func(conn *goldap.Conn, d *dialect) error {
		if !d.passwordModify {
			return invalid("set the password of "+label(r), "password", d.product+" does not offer RFC 3062")
		}
		e, err := c.find(conn, d, r, []string{c.settings.disable.attribute})
		if err != nil {
			return err
		}
		_, err = conn.PasswordModify(goldap.NewPasswordModifyRequest(e.DN, "", password))
		if err != nil || !c.settings.disable.marks(e) {
			return fail("set the password of "+e.DN, err)
		}
		return c.disableAgain(conn, d, r)
	})
}

func (c *Connector) disableAgain(conn *goldap.Conn, d *dialect, r provisioning.Ref) error {
	e, err := c.find(conn, d, r, []string{c.settings.disable.attribute})
	if err != nil {
		return err
	}
	m := goldap.NewModifyRequest(e.DN, nil)
	if err := c.settings.disable.apply(m, e, false); err != nil || len(m.Changes) == 0 {
		return err
	}
	return fail("modify "+e.DN, conn.Modify(m))
}

// errPassword is all that is said of a login that failed.
var errPassword = &provisioning.Error{Kind: provisioning.ErrDenied, Op: "sign in", Body: "wrong name or password"}

// Authenticate finds a user by uid and binds as it, on a connection of its own that nothing else is ever sent on.
func (c *Connector) Authenticate(ctx context.Context, login, password string) (provisioning.Ref, error) {
	if login == "" || !sendable(password) {
		return provisioning.Ref{}, errPassword
	}
	var ref provisioning.Ref
	var dn string
	err := c.with(ctx, provisioning.TypeUser, func(conn *goldap.Conn, d *dialect) error {
		filter := and(c.filter(provisioning.TypeUser), d.named(provisioning.TypeUser, login))
		e, err := c.one(conn, provisioning.Ref{Type: provisioning.TypeUser, Name: login}, goldap.ScopeWholeSubtree,
			foldDN(c.settings.userBase), filter, []string{d.idAttribute, c.settings.disable.attribute})
		if err != nil {
			return err
		}
		if c.settings.disable.marks(e) {
			return errPassword
		}
		ref, dn = provisioning.Ref{Type: provisioning.TypeUser, ID: d.identifier(e), Name: normalDN(e.DN)}, e.DN
		return nil
	})
	if err == nil {
		err = c.try(ctx, dn, password)
	}
	if errors.Is(err, provisioning.ErrNotFound) || errors.Is(err, provisioning.ErrConflict) || errors.Is(err, provisioning.ErrDenied) {
		return provisioning.Ref{}, errPassword
	}
	if err != nil {
		return provisioning.Ref{}, err
	}
	return ref, nil
}

func (c *Connector) try(ctx context.Context, dn, password string) error {
	conn, err := c.dial(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	return c.bind(conn, dn, password)
}
