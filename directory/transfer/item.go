package transfer

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/directory/passwords"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/schemas"
)

// item is a record on its way through one batch.
type item struct {
	*record
	id       string // of the resource that is there already
	same     bool   // which is as the record wants it
	skip     bool   // it is left as it is, whatever the record says
	do       func(tx *sqldb.Tx) (id string, err error)
	deferred bool              // the second pass comes back to it
	remember map[string]string // refs, beside that of its number
}

// outcome is what one run of a transaction has made of an item.
type outcome struct {
	id     string
	reason string // why it was rejected
}

// refusal tells an error that is about one record from one that ends the import.
func refusal(err error) (reason string, ok bool) {
	var invalid *directory.InvalidError
	if _, schema := errors.AsType[*schemas.Error](err); schema {
		return err.Error(), true
	}
	for _, known := range []error{directory.ErrConflict, directory.ErrNotFound, directory.ErrOwned, directory.ErrProtected,
		passwords.ErrRefused, directory.ErrTransition} {
		if errors.Is(err, known) {
			return err.Error(), true
		}
	}
	if errors.As(err, &invalid) {
		return err.Error(), true
	}
	return "", false
}

// prepareCreate prepares everything but users, who are created together.
func (im *importer) prepareCreate(it *item) {
	r := it.record
	switch r.typ.Name {
	case "User":
	case "Group":
		it.do = func(tx *sqldb.Tx) (string, error) {
			g, err := im.dir.CreateGroupTx(tx, im.change, r.res, directory.GroupOptions{Type: r.kind, Origin: r.opts.Origin})
			if err != nil {
				return "", err
			}
			return g.ID, nil
		}
	default:
		it.do = func(tx *sqldb.Tx) (string, error) {
			x, err := im.dir.CreateResourceTx(tx, im.change, r.res, r.opts.Origin)
			if err != nil {
				return "", err
			}
			return x.ID, nil
		}
	}
}

// found is a resource that is there, of any type.
type found struct {
	id   string
	was  *schemas.Resource
	user *directory.User // nil for another type
}

// prepareChange finds out what the record changes of a resource that is there, and
// prepares it.
func (im *importer) prepareChange(ctx context.Context, it *item, f *found) error {
	it.id = f.id
	next, err := it.next(f.was.Clone())
	if err != nil {
		return err
	}
	hash, err := im.newHash(ctx, it, f.user)
	if err != nil {
		return err
	}
	sameStatus := it.opts.Status == "" || f.user == nil || it.opts.Status == f.user.Status
	sameActive := next.Active == nil || f.was.Active == nil || *next.Active == *f.was.Active
	it.same = bytes.Equal(next.Doc(), f.was.Doc()) && next.ExternalID == f.was.ExternalID &&
		sameStatus && sameActive && next.Password == "" && hash == ""
	if it.same {
		return nil
	}
	change := func(was *schemas.Resource) (*schemas.Resource, error) {
		if was.Type != it.typ {
			return nil, errSchema
		}
		return it.next(was)
	}
	switch it.typ.Name {
	case "User":
		return im.prepareUserChange(ctx, it, directory.UserEdit{Next: change, PasswordHash: hash, Status: it.opts.Status})
	case "Group":
		it.do = func(tx *sqldb.Tx) (string, error) {
			_, err := im.dir.EditGroupTx(tx, im.change, f.id, change)
			return f.id, err
		}
	default:
		it.do = func(tx *sqldb.Tx) (string, error) {
			_, err := im.dir.EditResourceTx(tx, im.change, it.typ, f.id, change)
			return f.id, err
		}
	}
	return nil
}

// newHash is the password hash that a user gets who is there, empty for none.
func (im *importer) newHash(ctx context.Context, it *item, u *directory.User) (string, error) {
	if it.opts.PasswordHash == "" || u == nil {
		return "", nil
	}
	same, err := im.dir.HasPasswordHash(ctx, u, it.opts.PasswordHash)
	if err != nil || same {
		return "", err
	}
	if u.Status != directory.Staged {
		im.note("passwords of people who are not STAGED were left as they are")
		return "", nil
	}
	return it.opts.PasswordHash, nil
}

func (im *importer) prepareUserChange(ctx context.Context, it *item, e directory.UserEdit) error {
	if im.o.DryRun { // the policy is asked, and nothing is hashed
		if err := im.dir.AcceptPassword(ctx, it.res); err != nil {
			return err
		}
		next := e.Next
		e.Next = func(was *schemas.Resource) (*schemas.Resource, error) {
			r, err := next(was)
			if err == nil {
				r.Password = ""
			}
			return r, err
		}
	}
	do, err := im.dir.PrepareUserEdit(ctx, im.change, it.id, e)
	if err != nil {
		return err
	}
	it.do = func(tx *sqldb.Tx) (string, error) {
		_, err := do(tx)
		return it.id, err
	}
	return nil
}

func (im *importer) note(format string, args ...any) { im.notes[fmt.Sprintf(format, args...)] = true }
