package directory

import (
	"context"
	"fmt"
	"slices"

	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/schemas"
)

// Key is a value by which the files of an import name what is there already.
type Key string

// The keys of an import.
const (
	ByID         Key = "id"
	ByLogin      Key = "userName"    // users only
	ByName       Key = "displayName" // groups only, those that are named by it alone
	ByExternalID Key = "externalId"  // in the namespace of a client
)

// where is the condition on the rows r whose key is one of $3 and following; $1 is the
// client, $2 the type.
func (k Key) where(in string) string {
	switch k {
	case ByLogin:
		return `r.user_name IN (` + in + `)`
	case ByName:
		return `r.display_name IN (` + in + `) AND r.status <> 'APP_GROUP'`
	case ByExternalID:
		return `r.rid IN (SELECT x.rid FROM external_ids x WHERE x.client = $1 AND x.value IN (` + in + `))`
	}
	return `r.id IN (` + in + `)`
}

// Fold is the form in which two values of the key are compared.
func (k Key) Fold(value string) string {
	switch k {
	case ByLogin:
		return schemas.FoldLogin(value)
	case ByName:
		return schemas.Fold(value)
	}
	return value
}

// find reads the rows of a type whose key is one of values.
func find[T any](ctx context.Context, rd sqldb.Reader, columns, typ, client string, k Key, values []string, scan func(scanner) (*T, error)) ([]*T, error) {
	var all []*T
	for part := range slices.Chunk(values, lookUpMax) {
		args := []any{client, typ}
		for _, v := range part {
			args = append(args, k.Fold(v))
		}
		found, err := scanAll(scan)(rd.Query(ctx, `SELECT `+columns+` FROM resources r WHERE r.type = $2 AND `+k.where(list(3, len(part))), args...))
		if err != nil {
			return nil, fmt.Errorf("find %s by %s: %w", typ, k, err)
		}
		all = append(all, found...)
	}
	return all, nil
}

// FindUsers returns the users whose key is one of values, in no order.
func (d *Directory) FindUsers(ctx context.Context, client string, k Key, values []string) ([]*User, error) {
	return find(ctx, d.DB, userColumns, typeUser, client, k, values, scanUser)
}

// FindGroups is FindUsers for groups.
func (d *Directory) FindGroups(ctx context.Context, client string, k Key, values []string) ([]*Group, error) {
	return find(ctx, d.DB, groupColumns, typeGroup, client, k, values, scanGroup)
}

// FindResources is FindUsers for a type beside User and Group.
func (d *Directory) FindResources(ctx context.Context, typ, client string, k Key, values []string) ([]*Resource, error) {
	if err := checkOther(typ); err != nil {
		return nil, err
	}
	return find(ctx, d.DB, resourceColumns, typ, client, k, values, func(row scanner) (*Resource, error) { return scanResource(typ, row) })
}

// TypesOf returns the resource type of those IDs that exist.
func (d *Directory) TypesOf(ctx context.Context, ids []string) (map[string]string, error) {
	types := make(map[string]string, len(ids))
	for part := range slices.Chunk(ids, lookUpMax) {
		args := make([]any, len(part))
		for i, id := range part {
			args[i] = id
		}
		err := eachRow("look up IDs", func(row scanner) error {
			var id, typ string
			err := row.Scan(&id, &typ)
			types[id] = typ
			return err
		})(d.DB.Query(ctx, `SELECT id, type FROM resources WHERE id IN (`+list(1, len(args))+`)`, args...))
		if err != nil {
			return nil, err
		}
	}
	return types, nil
}

// Decode returns a stored user as a resource, with what stands beside its document.
func (u *User) Decode(d *Directory) (*schemas.Resource, error) { return d.stored(u) }

// Decode returns a stored group as a resource, without its members.
func (g *Group) Decode(d *Directory) (*schemas.Resource, error) { return d.storedGroup(g) }

// Decode returns a stored resource as one of t.
func (x *Resource) Decode(t *schemas.Type) (*schemas.Resource, error) { return x.decode(t) }

// AcceptPassword checks the clear password of a new resource, if it has one, against the
// policy, and hashes nothing.
func (d *Directory) AcceptPassword(ctx context.Context, r *schemas.Resource) error {
	if r.Password == "" {
		return nil
	}
	p, err := d.PasswordPolicy(ctx)
	if err != nil {
		return err
	}
	return p.Settings.Complexity.Check(r.Password, r.Profile())
}

// HasPasswordHash reports whether a hash is the one that a user has.
func (d *Directory) HasPasswordHash(ctx context.Context, u *User, hash string) (bool, error) {
	stored, err := d.passwordHash(ctx, u.RID)
	return stored == hash, err
}

// UserEdit is what an import makes of a user that is there.
type UserEdit struct {
	// Next makes the new resource of the stored one.
	Next func(was *schemas.Resource) (*schemas.Resource, error)
	// PasswordHash is as in ProfileEdit.
	PasswordHash string
	// Status, when set, is the status to bring the user to by an operation of its life.
	Status Status
}

// PrepareUserEdit is an edit up to the transaction. A password that Next sets is checked
// with the user as it stands now.
func (d *Directory) PrepareUserEdit(ctx context.Context, c Change, id string, e UserEdit) (func(*sqldb.Tx) (*User, error), error) {
	_, next, err := d.foresee(ctx, id, e.Next)
	if err != nil {
		return nil, err
	}
	password, err := d.passwordOf(ctx, next)
	if err != nil {
		return nil, err
	}
	if e.PasswordHash != "" {
		if err := d.passwords.Check(e.PasswordHash); err != nil {
			return nil, err
		}
		password = newPassword{hash: e.PasswordHash, imported: true}
	}
	return func(tx *sqldb.Tx) (*User, error) {
		u, err := d.changeUserTx(tx, c, id, nil, password, e.Next)
		if err != nil || e.Status == "" || e.Status == u.Status {
			return u, err
		}
		op, ok := leadsTo(u, e.Status, c)
		if !ok {
			return nil, &TransitionError{Op: LifecycleOp("a change to " + string(e.Status)), From: u.Status}
		}
		return d.SetStatusTx(tx, c, id, op)
	}, nil
}

// leadsTo finds the operation that brings a user to a status.
func leadsTo(u *User, to Status, c Change) (LifecycleOp, bool) {
	for _, op := range Allowed(u.Status) {
		if t := transitions[op]; op != Reactivate && t.target(op, c, u) == to {
			return op, true
		}
	}
	return "", false
}

// EditGroupTx changes the document of a group and leaves its members.
func (d *Directory) EditGroupTx(tx *sqldb.Tx, c Change, id string, next func(was *schemas.Resource) (*schemas.Resource, error)) (*Group, error) {
	return d.changeGroupTx(tx, c, id, nil, groupChange{next: next})
}

// EditResourceTx changes a resource of a type beside User and Group.
func (d *Directory) EditResourceTx(tx *sqldb.Tx, c Change, t *schemas.Type, id string, next func(was *schemas.Resource) (*schemas.Resource, error)) (*Resource, error) {
	return d.changeResourceTx(tx, c, t, id, nil, next)
}
