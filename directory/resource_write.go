package directory

import (
	"bytes"
	"context"
	"fmt"

	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/id"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/schemas"
)

// CreateResource stores a new resource of a type beside User and Group. A value that
// must be unique and is taken is a *Conflict.
func (d *Directory) CreateResource(ctx context.Context, c Change, r *schemas.Resource) (*Resource, error) {
	return written(ctx, d, func(tx *sqldb.Tx) (*Resource, error) { return d.CreateResourceTx(tx, c, r, nil) })
}

// CreateResourceTx is CreateResource inside a transaction. An origin gives the resource
// back what it had where it was exported; it may be nil.
func (d *Directory) CreateResourceTx(tx *sqldb.Tx, c Change, r *schemas.Resource, o *Origin) (*Resource, error) {
	if err := checkOther(r.Type.Name); err != nil {
		return nil, err
	}
	if err := c.Bounds.checkNew(r); err != nil {
		return nil, err
	}
	t, err := d.inForce(r.Type)
	if err != nil {
		return nil, err
	}
	if r, err = d.complete(t, r); err != nil {
		return nil, err
	}
	if err := o.admit(tx, r.Type.Name, id.Resource); err != nil {
		return nil, err
	}
	now := d.now()
	x := &Resource{Type: r.Type.Name, ID: o.idOr(id.Resource, now), Version: o.version(), Created: o.created(now), Modified: o.modified(now), Doc: r.Doc()}
	if err := d.insertResource(tx, x, r); err != nil {
		return nil, err
	}
	if c.Client != "" {
		x.ExternalID = r.ExternalID
	}
	if err := o.setExternalIDs(tx, x.RID, c.Client, x.ExternalID); err != nil {
		return nil, err
	}
	shown, err := t.Shown(x.Doc)
	if err != nil {
		return nil, err
	}
	return x, d.tellResource(tx, c, t, x, opCreate, events.Event{Type: "resource.lifecycle.create", Time: now, After: shown})
}

// insertResource writes the rows of a new resource. It has no status: the one of the
// row is that which the partial indexes leave out.
func (d *Directory) insertResource(tx *sqldb.Tx, x *Resource, r *schemas.Resource) error {
	err := tx.QueryRow(`INSERT INTO resources (id, type, version, status, active, created, modified, status_changed)
		VALUES ($1, $2, $3, 'ACTIVE', TRUE, $4, $5, $4) RETURNING rid`, x.ID, x.Type, x.Version, x.Created.UnixMicro(), x.Modified.UnixMicro()).Scan(&x.RID)
	if err != nil {
		return fmt.Errorf("insert %s: %w", x.Type, err)
	}
	return d.insertDocument(tx, x.RID, x.Doc, r, r.Unique())
}

// ReplaceResource makes a resource what r says (RFC 7644, section 3.5.1).
func (d *Directory) ReplaceResource(ctx context.Context, c Change, id string, v IfMatch, r *schemas.Resource) (*Resource, error) {
	return written(ctx, d, func(tx *sqldb.Tx) (*Resource, error) { return d.ReplaceResourceTx(tx, c, id, v, r) })
}

// ReplaceResourceTx is ReplaceResource inside a transaction.
func (d *Directory) ReplaceResourceTx(tx *sqldb.Tx, c Change, id string, v IfMatch, r *schemas.Resource) (*Resource, error) {
	c.put = true
	return d.changeResourceTx(tx, c, r.Type, id, v, func(was *schemas.Resource) (*schemas.Resource, error) {
		return c.Bounds.replacement(was, r)
	})
}

// PatchResource applies ops, which t has parsed, all or not at all (RFC 7644, section
// 3.5.2).
func (d *Directory) PatchResource(ctx context.Context, c Change, t *schemas.Type, id string, v IfMatch, ops []schemas.PatchOp, dialect schemas.Dialect) (*Resource, error) {
	return written(ctx, d, func(tx *sqldb.Tx) (*Resource, error) {
		return d.PatchResourceTx(tx, c, t, id, v, ops, dialect)
	})
}

// PatchResourceTx is PatchResource inside a transaction.
func (d *Directory) PatchResourceTx(tx *sqldb.Tx, c Change, t *schemas.Type, id string, v IfMatch, ops []schemas.PatchOp, dialect schemas.Dialect) (*Resource, error) {
	ops, err := c.Bounds.checkOps(t, ops, dialect)
	if err != nil {
		return nil, err
	}
	return d.changeResourceTx(tx, c, t, id, v, func(was *schemas.Resource) (*schemas.Resource, error) {
		return was.Type.Patch(was, ops, dialect)
	})
}

func (d *Directory) changeResourceTx(tx *sqldb.Tx, c Change, t *schemas.Type, id string, v IfMatch,
	change func(*schemas.Resource) (*schemas.Resource, error)) (*Resource, error) {
	t, err := d.inForce(t)
	if err != nil {
		return nil, err
	}
	old, err := lockResourceTx(tx, t.Name, id, c.Client)
	if err != nil {
		return nil, err
	}
	if !v.accepts(old.Version) {
		return nil, ErrVersion
	}
	was, err := old.decode(t)
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
	return d.storeResource(tx, c, old, was, next)
}

// storeResource writes a changed resource. A change that changes nothing writes nothing
// and keeps the version.
func (d *Directory) storeResource(tx *sqldb.Tx, c Change, old *Resource, was, next *schemas.Resource) (*Resource, error) {
	x := *old
	x.Doc = next.Doc()
	if c.Client != "" {
		x.ExternalID = next.ExternalID
	}
	docChanged := !bytes.Equal(x.Doc, old.Doc)
	if !docChanged && x.ExternalID == old.ExternalID {
		return old, nil
	}
	x.Version, x.Modified = old.Version+1, d.now()
	err := exactlyOne(tx.Exec(`UPDATE resources SET version = $3, modified = $4 WHERE rid = $1 AND version = $2`,
		x.RID, old.Version, x.Version, x.Modified.UnixMicro()))
	if err != nil {
		return nil, err
	}
	if docChanged {
		if err := d.replaceDocument(tx, x.RID, x.Doc, was, next); err != nil {
			return nil, err
		}
	}
	ev := events.Event{Type: "resource.profile.update", Time: x.Modified}
	if x.ExternalID != old.ExternalID {
		if err := setExternalID(tx, x.RID, c.Client, x.ExternalID); err != nil {
			return nil, err
		}
		ev.Detail = externalIDDetail(c.Client, old.ExternalID, x.ExternalID)
	}
	if ev.Before, ev.After, err = shownDifference(next.Type, old.Doc, x.Doc); err != nil {
		return nil, err
	}
	return &x, d.tellResource(tx, c, next.Type, &x, opUpdate, ev)
}

// DeleteResource removes a resource of a type beside User and Group. What refers to it
// stays as it is.
func (d *Directory) DeleteResource(ctx context.Context, c Change, t *schemas.Type, id string, v IfMatch) error {
	return d.DB.Write(ctx, func(tx *sqldb.Tx) error { return d.DeleteResourceTx(tx, c, t, id, v) })
}

// DeleteResourceTx is DeleteResource inside a transaction.
func (d *Directory) DeleteResourceTx(tx *sqldb.Tx, c Change, t *schemas.Type, id string, v IfMatch) error {
	if err := c.Bounds.checkDelete(); err != nil {
		return err
	}
	t, err := d.inForce(t)
	if err != nil {
		return err
	}
	x, err := lockResourceTx(tx, t.Name, id, "")
	if err != nil {
		return err
	}
	if !v.accepts(x.Version) {
		return ErrVersion
	}
	r, err := x.decode(t)
	if err != nil {
		return err
	}
	shown, err := t.Shown(x.Doc)
	if err != nil {
		return err
	}
	if err := d.tellResource(tx, c, t, x, opDelete, events.Event{Type: "resource.lifecycle.delete", Before: shown}); err != nil {
		return err
	}
	return d.deleteRows(tx, x.RID, x.Version, r, r.Unique())
}

// tellResource appends the event of a change. No app is told: accounts there are of
// users, and their groups.
func (d *Directory) tellResource(tx *sqldb.Tx, c Change, t *schemas.Type, x *Resource, op string, ev events.Event) error {
	ev.Targets = []events.Target{{ID: x.ID, Type: x.Type, Name: x.Name()}}
	ch := changed{ID: x.ID, Op: op, Version: x.Version}
	switch {
	case op == opDelete:
		ch.Version++
		if err := keepExternalIDs(tx, &ev, x.RID); err != nil {
			return err
		}
	case op == opUpdate && c.put:
		shown, err := t.Shown(x.Doc)
		if err != nil {
			return err
		}
		ch.Doc = shown
	}
	ev.Resource = ch.resource(x.Type)
	_, err := d.audit(tx, c, ev)
	return err
}
