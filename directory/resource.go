package directory

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/provost-id/provost/internal/id"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/schemas"
)

// Resource is one stored resource of a type beside User and Group: a device, say. Doc
// is the canonical document as it stands in the database.
type Resource struct {
	Type       string // the name of its resource type
	ID         string
	RID        int64
	Version    int64
	Created    time.Time
	Modified   time.Time
	ExternalID string // in the namespace of the client that asked
	Doc        []byte
}

// NewID gives out the ID of a resource of a type that is going to be created, so that
// others can refer to it before it is there.
func (d *Directory) NewID(typ string) string {
	switch typ {
	case typeUser:
		return id.NewAt(id.User, d.now())
	case typeGroup:
		return id.NewAt(id.Group, d.now())
	}
	return id.NewAt(id.Resource, d.now())
}

// Name is what an event calls the resource: its displayName, or empty.
func (x *Resource) Name() string { return schemas.NameIn(x.Doc) }

// errOwnFunctions keeps users and groups out of the functions for all other types:
// these ask nobody whether the change may be made.
var errOwnFunctions = errors.New("users and groups have functions of their own")

func checkOther(typ string) error {
	if typ == typeUser || typ == typeGroup {
		return errOwnFunctions
	}
	return nil
}

const (
	resourceColumns = `r.id, r.rid, r.version, r.created, r.modified,
	COALESCE((SELECT e.value FROM external_ids e WHERE e.rid = r.rid AND e.client = $1), ''),
	(SELECT d.doc FROM documents d WHERE d.rid = r.rid)`
	selectResource = `SELECT ` + resourceColumns + ` FROM resources r WHERE r.id = $2 AND r.type = $3`
)

func scanResource(typ string, row scanner) (*Resource, error) {
	x := &Resource{Type: typ}
	var created, modified int64
	err := row.Scan(&x.ID, &x.RID, &x.Version, &created, &modified, &x.ExternalID, &x.Doc)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", typ, err)
	}
	x.Created, x.Modified = micros(created), micros(modified)
	return x, nil
}

// ResourceFor returns a resource of a type beside User and Group by ID, with the
// external ID that a client gave it, or ErrNotFound.
func (d *Directory) ResourceFor(ctx context.Context, typ, id, client string) (*Resource, error) {
	if err := checkOther(typ); err != nil {
		return nil, err
	}
	return scanResource(typ, d.DB.QueryRow(ctx, selectResource, client, id, typ))
}

func lockResourceTx(tx *sqldb.Tx, typ, id, client string) (*Resource, error) {
	if err := checkOther(typ); err != nil {
		return nil, err
	}
	if err := lockRow(tx, id, typ); err != nil {
		return nil, err
	}
	return scanResource(typ, tx.QueryRow(selectResource, client, id, typ))
}

// decode returns the document as a resource of t.
func (x *Resource) decode(t *schemas.Type) (*schemas.Resource, error) {
	r, err := t.Decode(x.Doc)
	if err != nil {
		return nil, fmt.Errorf("document of %s: %w", x.ID, err)
	}
	r.ExternalID = x.ExternalID
	return r, nil
}
