package directory

import (
	"context"

	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/schemas"
)

// A change is prepared outside the transaction, where hashing a password takes its
// time, and made inside: the Prepare functions return what is left to do there. Whoever
// makes one change calls both at once by CreateUsers, ReplaceUser and so on; several
// changes can be prepared and then made in one transaction.

// PrepareUsers is CreateUsers up to the transaction.
func (d *Directory) PrepareUsers(ctx context.Context, c Change, batch []UserToCreate) (func(*sqldb.Tx) ([]UserResult, error), error) {
	if len(batch) > MaxUserBatch {
		return nil, errBatchSize
	}
	people, err := d.hashBatch(ctx, c, batch)
	if err != nil {
		return nil, err
	}
	passwords, err := d.bringers(ctx, c, batch)
	if err != nil {
		return nil, err
	}
	return func(tx *sqldb.Tx) ([]UserResult, error) {
		results, err := d.createTx(tx, c, people)
		if err != nil {
			return nil, err
		}
		return results, d.bringBackTx(tx, c, batch, passwords, results)
	}, nil
}

// PrepareUserReplace is ReplaceUser up to the transaction.
func (d *Directory) PrepareUserReplace(ctx context.Context, c Change, id string, v IfMatch, r *schemas.Resource) (func(*sqldb.Tx) (*User, error), error) {
	if r.Password != "" && !c.Bounds.write(r.Type).Has("password", r.Type) {
		return nil, unwritable("password") // before anything is hashed
	}
	password, err := d.passwordOf(ctx, r)
	if err != nil {
		return nil, err
	}
	c.put = true
	return func(tx *sqldb.Tx) (*User, error) {
		return d.changeUserTx(tx, c, id, v, password, func(was *schemas.Resource) (*schemas.Resource, error) {
			if c.Own {
				return was.OwnReplacement(r)
			}
			return c.Bounds.replacement(was, r)
		})
	}, nil
}

// PrepareUserPatch is PatchUser up to the transaction. A password in ops is checked with
// the user as it stands now.
func (d *Directory) PrepareUserPatch(ctx context.Context, c Change, id string, v IfMatch, ops []schemas.PatchOp, dialect schemas.Dialect) (func(*sqldb.Tx) (*User, error), error) {
	ops, err := c.Bounds.checkOps(d.userType(), ops, dialect)
	if err != nil {
		return nil, err
	}
	patch := func(was *schemas.Resource) (*schemas.Resource, error) {
		next, err := was.Type.Patch(was, ops, dialect)
		if err == nil && c.Own {
			err = was.CheckOwn(next)
		}
		return next, err
	}
	if err := d.Sees(ctx, c.Bounds, typeUser, id); err != nil { // before anything tells that somebody is there
		return nil, err
	}
	var password newPassword
	if schemas.SetPassword(ops) {
		_, next, err := d.foresee(ctx, id, patch)
		if err != nil {
			return nil, err
		}
		if password, err = d.passwordOf(ctx, next); err != nil {
			return nil, err
		}
	}
	return func(tx *sqldb.Tx) (*User, error) { return d.changeUserTx(tx, c, id, v, password, patch) }, nil
}

// PrepareGroupPatch is PatchGroup up to the transaction.
func (d *Directory) PrepareGroupPatch(c Change, id string, v IfMatch, ops []schemas.PatchOp, dialect schemas.Dialect) (func(*sqldb.Tx) (*Group, error), error) {
	ops, err := c.Bounds.checkOps(d.groupType(), ops, dialect)
	if err != nil {
		return nil, err
	}
	rest, members, err := schemas.SplitMembers(ops)
	if err != nil {
		return nil, err
	}
	n := groupChange{members: members}
	if len(rest) > 0 {
		n.next = func(was *schemas.Resource) (*schemas.Resource, error) {
			return was.Type.Patch(was, rest, dialect)
		}
	}
	return func(tx *sqldb.Tx) (*Group, error) { return d.changeGroupTx(tx, c, id, v, n) }, nil
}

// written is what a transaction has made, once it is durable.
func written[T any](ctx context.Context, d *Directory, do func(*sqldb.Tx) (T, error)) (made T, err error) {
	var none T
	err = d.DB.Write(ctx, func(tx *sqldb.Tx) error {
		made, err = do(tx)
		return err
	})
	if err != nil {
		return none, err
	}
	return made, nil
}

// prepared makes a change that has been prepared.
func prepared[T any](ctx context.Context, d *Directory, do func(*sqldb.Tx) (T, error), err error) (T, error) {
	if err != nil {
		var none T
		return none, err
	}
	return written(ctx, d, do)
}
