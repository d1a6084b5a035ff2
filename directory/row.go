package directory

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/schemas"
)

// The types of a resource, as the schema names them.
const (
	typeUser  = "User"
	typeGroup = "Group"
)

func (d *Directory) userType() *schemas.Type  { return d.typeNamed(typeUser) }
func (d *Directory) groupType() *schemas.Type { return d.typeNamed(typeGroup) }

func (d *Directory) typeNamed(name string) *schemas.Type {
	t, ok := d.Schemas().Type(name)
	if !ok { // every schema has both
		panic("schema has no resource type " + name)
	}
	return t
}

// micros is a time as the database keeps it, at the time of zero for 0.
func micros(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

// userColumns are what scanUser reads; $1 is the namespace of external IDs. Look-ups
// in the select list are faster than joins on both engines.
const userColumns = `r.id, r.rid, r.version, r.status, r.created, r.modified, r.status_changed,
	COALESCE(r.activated, 0), COALESCE(r.last_login, 0), COALESCE(r.members_changed, 0),
	COALESCE((SELECT p.changed FROM passwords p WHERE p.rid = r.rid), 0),
	COALESCE((SELECT e.value FROM external_ids e WHERE e.rid = r.rid AND e.client = $1), ''),
	(SELECT d.doc FROM documents d WHERE d.rid = r.rid)`

type scanner interface{ Scan(dest ...any) error }

func scanUser(row scanner) (*User, error) {
	var r struct { // in one piece of memory: every GET comes here
		User
		created, modified, statusChanged, activated, lastLogin, groupsChanged, passwordChanged int64
	}
	u := &r.User
	err := row.Scan(&u.ID, &u.RID, &u.Version, (*string)(&u.Status), &r.created, &r.modified, &r.statusChanged,
		&r.activated, &r.lastLogin, &r.groupsChanged, &r.passwordChanged, &u.ExternalID, &u.Doc)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("read user: %w", err)
	}
	u.Created, u.Modified, u.StatusChanged = micros(r.created), micros(r.modified), micros(r.statusChanged)
	u.Activated, u.LastLogin, u.PasswordChanged = micros(r.activated), micros(r.lastLogin), micros(r.passwordChanged)
	u.GroupsChanged = micros(r.groupsChanged)
	u.HasPassword = r.passwordChanged != 0
	return u, nil
}

const groupColumns = `r.id, r.rid, r.version, r.status, r.created, r.modified, COALESCE(r.members_changed, 0),
	COALESCE((SELECT e.value FROM external_ids e WHERE e.rid = r.rid AND e.client = $1), ''),
	(SELECT d.doc FROM documents d WHERE d.rid = r.rid)`

func scanGroup(row scanner) (*Group, error) {
	var g Group
	var created, modified, members int64
	err := row.Scan(&g.ID, &g.RID, &g.Version, &g.Type, &created, &modified, &members, &g.ExternalID, &g.Doc)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("read group: %w", err)
	}
	g.Created, g.Modified, g.MembersChanged = micros(created), micros(modified), micros(members)
	return &g, nil
}

// rowQuerier is a *sqldb.Tx. A read outside one goes through the database itself.
type rowQuerier interface {
	QueryRow(query string, args ...any) *sql.Row
}

var _ rowQuerier = (*sqldb.Tx)(nil)

const (
	selectUser  = `SELECT ` + userColumns + ` FROM resources r WHERE r.id = $2 AND r.type = 'User'`
	selectGroup = `SELECT ` + groupColumns + ` FROM resources r WHERE r.id = $2 AND r.type = 'Group'`
)

// User returns a user by ID, or ErrNotFound.
func (d *Directory) User(ctx context.Context, id string) (*User, error) {
	return scanUser(d.DB.QueryRow(ctx, selectUser, "", id))
}

// ShownUser is a user as SCIM shows it: the narrower row is what a GET costs.
type ShownUser struct {
	ID                string
	RID, Version      int64
	Active            bool
	Created, Modified time.Time
	GroupsChanged     time.Time // zero for never; no change of the version
	ExternalID        string    // in the namespace of the client that asked
	Doc               []byte
	Groups            GroupsText // that it is a member of, but Everyone
}

func selectShown(everyone int64) string {
	return `SELECT r.rid, r.version, r.active, r.created, r.modified, COALESCE(r.members_changed, 0),
	COALESCE((SELECT e.value FROM external_ids e WHERE e.rid = r.rid AND e.client = $1), ''),
	(SELECT d.doc FROM documents d WHERE d.rid = r.rid),
	` + groupsBeside(everyone) + `
	FROM resources r WHERE r.id = $2 AND r.type = 'User'`
}

// ShownUser returns what SCIM shows of a user, with the external ID that a client gave
// it, or ErrNotFound.
func (d *Directory) ShownUser(ctx context.Context, id, client string) (*ShownUser, error) {
	var r struct { // in one piece of memory: every GET comes here
		ShownUser
		created, modified, groupsChanged int64
		args                             [2]any
		dest                             [9]any
	}
	u := &r.ShownUser
	r.args = [...]any{client, id}
	r.dest = [...]any{&u.RID, &u.Version, &u.Active, &r.created, &r.modified, &r.groupsChanged, &u.ExternalID, &u.Doc, (*string)(&u.Groups)}
	err := d.DB.QueryRow(ctx, d.selectShown, r.args[:]...).Scan(r.dest[:]...)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("read user: %w", err)
	}
	u.ID = id
	u.Created, u.Modified, u.GroupsChanged = micros(r.created), micros(r.modified), micros(r.groupsChanged)
	return u, nil
}

// UserTx is User inside a transaction.
func (d *Directory) UserTx(tx *sqldb.Tx, id string) (*User, error) {
	return scanUser(tx.QueryRow(selectUser, "", id))
}

// Group returns a group by ID, or ErrNotFound.
func (d *Directory) Group(ctx context.Context, id string) (*Group, error) {
	return d.GroupFor(ctx, id, "")
}

// GroupFor is Group with the external ID that a client gave it.
func (d *Directory) GroupFor(ctx context.Context, id, client string) (*Group, error) {
	return scanGroup(d.DB.QueryRow(ctx, selectGroup, client, id))
}

// lockUserTx reads a user for a change. The row is locked first, by a statement of its
// own: on PostgreSQL a statement that waited for the lock would still see the document
// of before.
func (d *Directory) lockUserTx(tx *sqldb.Tx, id, client string) (*User, error) {
	if err := lockRow(tx, id, typeUser); err != nil {
		return nil, err
	}
	return scanUser(tx.QueryRow(selectUser, client, id))
}

func (d *Directory) lockGroupTx(tx *sqldb.Tx, id, client string) (*Group, error) {
	if err := lockRow(tx, id, typeGroup); err != nil {
		return nil, err
	}
	return scanGroup(tx.QueryRow(selectGroup, client, id))
}

func lockRow(tx *sqldb.Tx, id, typ string) error {
	if tx.ForUpdate() == "" {
		return nil
	}
	var rid int64
	err := tx.QueryRow(`SELECT rid FROM resources WHERE id = $1 AND type = $2`+tx.ForUpdate(), id, typ).Scan(&rid)
	if errors.Is(err, sql.ErrNoRows) {
		return ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("lock %s: %w", id, err)
	}
	return nil
}
