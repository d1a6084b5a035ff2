package directory

import (
	"context"
	"fmt"

	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/schemas"
)

// CreateUser stores a new user. A password in the resource is hashed first. A login
// that is taken is a *Conflict, whoever has it: nothing is ever merged.
func (d *Directory) CreateUser(ctx context.Context, c Change, r *schemas.Resource, o CreateOptions) (*User, error) {
	return only(d.CreateUsers(ctx, c, []UserToCreate{{Resource: r, Options: o}}))
}

// CreateUserTx is CreateUser inside a transaction; a password comes as o.PasswordHash.
func (d *Directory) CreateUserTx(tx *sqldb.Tx, c Change, r *schemas.Resource, o CreateOptions) (*User, error) {
	return only(d.CreateUsersTx(tx, c, []UserToCreate{{Resource: r, Options: o}}))
}

// only is the result of a batch of one.
func only(results []UserResult, err error) (*User, error) {
	if err != nil {
		return nil, err
	}
	return results[0].User, results[0].Err
}

func firstStatus(c Change, r *schemas.Resource, o CreateOptions) Status {
	active := r.Active == nil || *r.Active
	if o.Activate != nil {
		active = *o.Activate
	}
	switch {
	case o.Status != "":
		return o.Status
	case !active:
		return Staged
	}
	return activated(c, o.PasswordHash != "")
}

// ReplaceUser makes the user what r says (RFC 7644, section 3.5.1). What r leaves out
// is removed, except active and the password.
func (d *Directory) ReplaceUser(ctx context.Context, c Change, id string, v IfMatch, r *schemas.Resource) (*User, error) {
	do, err := d.PrepareUserReplace(ctx, c, id, v, r)
	return prepared(ctx, d, do, err)
}

// PatchUser applies ops all or not at all (RFC 7644, section 3.5.2).
func (d *Directory) PatchUser(ctx context.Context, c Change, id string, v IfMatch, ops []schemas.PatchOp, dialect schemas.Dialect) (*User, error) {
	do, err := d.PrepareUserPatch(ctx, c, id, v, ops, dialect)
	return prepared(ctx, d, do, err)
}

// foresee applies a change and stores nothing. Only applying a patch tells whether it
// sets a password and for whom, and hashing has no place in the transaction that
// applies it.
func (d *Directory) foresee(ctx context.Context, id string, change func(*schemas.Resource) (*schemas.Resource, error)) (*User, *schemas.Resource, error) {
	u, err := d.User(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	was, err := d.stored(u)
	if err != nil {
		return nil, nil, err
	}
	next, err := change(was)
	return u, next, err
}

// stored decodes a user and sets what stands beside its document.
func (d *Directory) stored(u *User) (*schemas.Resource, error) {
	r, err := d.userType().Decode(u.Doc)
	if err != nil {
		return nil, fmt.Errorf("document of %s: %w", u.ID, err)
	}
	active := u.Status.Active()
	r.Active, r.ExternalID = &active, u.ExternalID
	return r, nil
}

// changeUser loads, checks the version, changes and stores a user in one transaction.
func (d *Directory) changeUser(ctx context.Context, c Change, id string, v IfMatch, password newPassword,
	change func(*schemas.Resource) (*schemas.Resource, error)) (u *User, err error) {
	err = d.DB.Write(ctx, func(tx *sqldb.Tx) error {
		u, err = d.changeUserTx(tx, c, id, v, password, change)
		return err
	})
	if err != nil {
		return nil, err
	}
	return u, nil
}

func (d *Directory) changeUserTx(tx *sqldb.Tx, c Change, id string, v IfMatch, password newPassword,
	change func(*schemas.Resource) (*schemas.Resource, error)) (*User, error) {
	if err := d.lockRuleGroups(tx, id, change); err != nil {
		return nil, err
	}
	u, err := d.lockUserTx(tx, id, c.Client)
	if err != nil {
		return nil, err
	}
	if err := d.checkUserTx(tx, c.Bounds, u.RID); err != nil {
		return nil, err
	}
	if !v.accepts(u.Version) {
		return nil, ErrVersion
	}
	was, err := d.stored(u)
	if err != nil {
		return nil, err
	}
	next, err := change(was)
	if err != nil {
		return nil, err
	}
	if next, err = d.renew(was, next); err != nil {
		return nil, err
	}
	n := userChange{old: u, was: was, next: next, password: password}
	if c.Client != "" {
		n.externalID = &next.ExternalID
	}
	if next.Active != nil {
		n.status, n.lifecycle = activeStatus(c, *next.Active, u)
	}
	return d.storeUser(tx, c, n)
}

// UpdateProfile merges a flat profile into the user; a nil value removes. A name that
// the profile does not have is a *schemas.Error.
func (d *Directory) UpdateProfile(ctx context.Context, c Change, id string, profile map[string]any) (u *User, err error) {
	err = d.DB.Write(ctx, func(tx *sqldb.Tx) error {
		u, err = d.UpdateProfileTx(tx, c, id, profile)
		return err
	})
	if err != nil {
		return nil, err
	}
	return u, nil
}

// UpdateProfileTx is UpdateProfile inside a transaction.
func (d *Directory) UpdateProfileTx(tx *sqldb.Tx, c Change, id string, profile map[string]any) (*User, error) {
	c.Client = "" // a profile has no external ID
	return d.changeUserTx(tx, c, id, nil, newPassword{}, func(was *schemas.Resource) (*schemas.Resource, error) {
		next := was.Clone()
		return next, next.SetProfile(profile)
	})
}

// DeleteUser removes a user with everything that belongs to it; only its events stay.
func (d *Directory) DeleteUser(ctx context.Context, c Change, id string, v IfMatch) error {
	return d.DB.Write(ctx, func(tx *sqldb.Tx) error { return d.DeleteUserTx(tx, c, id, v) })
}

// DeleteUserTx is DeleteUser inside a transaction.
func (d *Directory) DeleteUserTx(tx *sqldb.Tx, c Change, id string, v IfMatch) error {
	if err := d.lockGroupsOf(tx, id); err != nil {
		return err
	}
	u, err := d.lockUserTx(tx, id, "")
	if err != nil {
		return err
	}
	if err := d.checkUserTx(tx, c.Bounds, u.RID); err != nil {
		return err
	}
	if !v.accepts(u.Version) {
		return ErrVersion
	}
	if err := c.Bounds.checkDelete(); err != nil {
		return err
	}
	if err := d.guardAdmin(tx, c, u); err != nil {
		return err
	}
	r, err := d.stored(u)
	if err != nil {
		return err
	}
	if err := forgetUserTx(tx, u.RID); err != nil {
		return err
	}
	if err := forgetLinksTx(tx, u.RID); err != nil {
		return err
	}
	if err := d.leaveGroups(tx, c.unbounded(), u); err != nil {
		return err
	}
	shown, err := r.Type.Shown(u.Doc)
	if err != nil {
		return err
	}
	ev := events.Event{Type: "user.lifecycle.delete.completed", Targets: userTarget(u, r.DisplayName()), Before: shown}
	ch := changed{Kind: kindUser, ID: u.ID, RID: u.RID, Op: opDelete, Attrs: profileNames(r), Version: u.Version + 1}
	if err := d.tell(tx, c, ev, ch); err != nil {
		return err
	}
	if err := d.signOut(tx, u.ID); err != nil {
		return err
	}
	if err := d.forgetTries(tx, u.ID); err != nil {
		return err
	}
	return d.deleteRows(tx, u.RID, u.Version, r, r.Unique())
}

// deleteRows removes every row of a resource. Members are gone already.
func (d *Directory) deleteRows(tx *sqldb.Tx, rid, version int64, r *schemas.Resource, unique []schemas.Entry) error {
	if err := d.deleteBelongings(tx, rid, r, unique); err != nil {
		return err
	}
	return exactlyOne(tx.Exec(`DELETE FROM resources WHERE rid = $1 AND version = $2`, rid, version))
}

// deleteBelongings removes what a resource has beside its row, and counts it no more.
func (d *Directory) deleteBelongings(tx *sqldb.Tx, rid int64, r *schemas.Resource, unique []schemas.Entry) error {
	if err := moveIndex(tx, rid, r, nil); err != nil {
		return err
	}
	if err := claimFor(tx, r.Type, rid, unique, nil); err != nil {
		return err
	}
	for _, table := range []string{"documents", "external_ids", "passwords", "password_history"} {
		if _, err := tx.Exec(`DELETE FROM `+table+` WHERE rid = $1`, rid); err != nil {
			return fmt.Errorf("delete from %s: %w", table, err)
		}
	}
	if err := d.sameSchema(tx, r.Type); err != nil {
		return err
	}
	return addTotal(tx, r.Type.Name, blockOf(rid), -1)
}
