package directory

import (
	"context"
	"fmt"
	"time"

	"github.com/provost-id/provost/internal/snapshot"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/schemas"
)

// schemaState is the schema in force, as it was loaded. It is shared and never changed.
type schemaState struct {
	version  int64
	defs     *schemas.Definitions
	stamps   map[definitionKey]stamp
	compiled *schemas.Snapshot
	open     []*operation // what is under way, in the order in which it is done
}

// definitionKey names a row of definitions.
type definitionKey struct{ kind, id string }

// stamp is when a definition was made and last changed.
type stamp struct{ created, modified time.Time }

// schemaSnapshot is the name of the snapshot, whose version is that of the schema.
const schemaSnapshot = "schemas"

// openSchemas loads the schema in force.
func (d *Directory) openSchemas(ctx context.Context) error {
	d.schema = snapshot.New(d.DB, schemaSnapshot, d.loadSchemas)
	d.schema.Eager = true
	d.Schemas = func() *schemas.Snapshot { return d.schemaState().compiled }
	_, err := d.schema.Get(ctx)
	return err
}

// schemaState is the schema in hand: openSchemas has loaded one before anybody asks.
func (d *Directory) schemaState() *schemaState {
	s, _ := d.schema.Peek()
	return s
}

// followSchemas makes sure that the schema in hand is of the version at least. It runs
// outside of any transaction: inside, it could wait for a connection that only the end
// of the transaction gives free.
func (d *Directory) followSchemas(ctx context.Context, version int64) error {
	if d.schemaState().version >= version {
		return nil
	}
	_, err := d.schema.Reload(ctx)
	return err
}

// sameSchema ends a transaction that writes a resource of a type which is no longer in
// force, and has it begin again with the one that is: what it would write lacks index
// rows and unique values that the schema now wants, and nobody would add them later.
//
// It stands after the first statement that writes. On PostgreSQL the transaction has its
// number then, so that a pass over the directory, which begins after the change of the
// schema, can wait for every transaction that saw the schema of before (see horizon).
func (d *Directory) sameSchema(tx *sqldb.Tx, t *schemas.Type) error {
	version, err := schemaVersion(tx)
	if err != nil || version == t.Version {
		return err
	}
	return d.schemaChanged(version)
}

// keepSchema has the schema stay as it is until the transaction ends, which is about to
// store what names attributes of it. It comes before any other lock: a change of the
// schema holds the schema first, too.
func (d *Directory) keepSchema(tx *sqldb.Tx) error {
	query := `SELECT version FROM snapshot_versions WHERE name = '` + schemaSnapshot + `'`
	if tx.ForUpdate() != "" {
		query += ` FOR SHARE`
	}
	var version int64
	if err := tx.QueryRow(query).Scan(&version); err != nil {
		return fmt.Errorf("hold schema: %w", err)
	}
	if version == d.userType().Version {
		return nil
	}
	return d.schemaChanged(version)
}

// schemaChanged is the error that has a transaction begin again.
func (d *Directory) schemaChanged(version int64) error {
	return &sqldb.Again{
		Reason:  "the schema has changed",
		Prepare: func(ctx context.Context) error { return d.followSchemas(ctx, version) },
	}
}

func schemaVersion(tx *sqldb.Tx) (version int64, err error) {
	if err := tx.QueryRow(`SELECT version FROM snapshot_versions WHERE name = '` + schemaSnapshot + `'`).Scan(&version); err != nil {
		return 0, fmt.Errorf("read version of schema: %w", err)
	}
	return version, nil
}

// inForce returns a resource type under the schema in force, or ErrNotFound when it is
// there no more.
func (d *Directory) inForce(t *schemas.Type) (*schemas.Type, error) {
	now, ok := d.Schemas().Type(t.Name)
	if !ok {
		return nil, ErrNotFound
	}
	return now, nil
}

// complete returns a new resource as it is stored: under the type t, with the defaults
// of what it lacks, and its secrets sealed. The one that it is given stays as it is.
func (d *Directory) complete(t *schemas.Type, r *schemas.Resource) (*schemas.Resource, error) {
	r, err := t.Adopt(r)
	if err != nil {
		return nil, err
	}
	r = r.Clone()
	r.ApplyDefaults(false)
	return r.Seal(nil, d.sealAttribute), nil
}

// renew returns what a change has made of a resource as it is stored: under the type of
// the stored one, with its new secrets sealed.
func (d *Directory) renew(was, next *schemas.Resource) (*schemas.Resource, error) {
	next, err := was.Type.Adopt(next)
	if err != nil {
		return nil, err
	}
	return next.Seal(was, d.sealAttribute), nil
}
