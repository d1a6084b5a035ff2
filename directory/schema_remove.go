package directory

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/schemas"
)

// settleRemove takes what the schema no longer has out of the document of one resource.
// It is a change of the resource as any other: it has another version, and an event. r is
// what the schema in force makes of the document.
func (d *Directory) settleRemove(tx *sqldb.Tx, o *operation, h held, r *schemas.Resource) (string, error) {
	doc := r.Doc()
	if string(doc) == string(h.doc) {
		return "", nil
	}
	if err := dropListed(tx, h.rid, o.Schema, r); err != nil {
		return "", err
	}
	now := d.now()
	err := exactlyOne(tx.Exec(`UPDATE resources SET version = version + 1, modified = $3 WHERE rid = $1 AND version = $2`, h.rid, h.version, now.UnixMicro()))
	if err != nil {
		return "", err
	}
	if _, err := tx.Exec(`UPDATE documents SET doc = $2 WHERE rid = $1`, h.rid, string(doc)); err != nil {
		return "", fmt.Errorf("update document: %w", err)
	}
	return "", d.tellRemoved(tx, o, h, r, doc)
}

// dropListed removes the index row that tells of an extension which a resource no longer
// has.
func dropListed(tx *sqldb.Tx, rid int64, urn string, r *schemas.Resource) error {
	e := schemas.Entry{Path: listedPath, Value: schemas.Fold(urn)}
	if hasEntry(r.Index(), e) {
		return nil
	}
	return dropIndexRow(tx, rid, e)
}

// tellRemoved tells of the values that are gone, unless they were secret.
func (d *Directory) tellRemoved(tx *sqldb.Tx, o *operation, h held, r *schemas.Resource, doc []byte) error {
	ev := events.Event{
		Type: "resource.profile.update", Targets: []events.Target{{ID: h.id, Type: o.Type, Name: r.DisplayName()}},
		Detail: map[string]any{"operation": o.ID, "removed": o.spell()},
	}
	former, err := o.formerAttribute()
	if err != nil {
		return err
	}
	if !holdsSecret(former) {
		if ev.Before, ev.After, err = difference(h.doc, doc); err != nil {
			return err
		}
	}
	c := Change{Actor: events.System, Source: Source{Kind: SourceSchema}}
	ch := changed{ID: h.id, RID: h.rid, Op: opUpdate, Attrs: []string{o.Attribute}, Version: h.version + 1}
	switch o.Type {
	case typeUser:
		ch.Kind, ev.Type = kindUser, "user.account.update_profile"
		return d.tell(tx, c, ev, ch)
	case typeGroup:
		ch.Kind, ev.Type = kindGroup, "group.profile.update"
		return d.tell(tx, c, ev, ch)
	}
	ev.Resource = ch.resource(o.Type)
	_, err = d.audit(tx, c, ev)
	return err
}

// spell is the SCIM path of what an operation is about.
func (o *operation) spell() string {
	if o.Attribute == "" {
		return o.Schema
	}
	return o.Schema + ":" + o.Attribute
}

func holdsSecret(a schemas.Attribute) bool {
	if a.Secret() {
		return true
	}
	for _, s := range a.SubAttributes {
		if holdsSecret(s) {
			return true
		}
	}
	return false
}

// settleDrop looks whether a resource of a type that is gone was made while it went. Then
// the type comes back.
func (d *Directory) settleDrop(tx *sqldb.Tx, o *operation) error {
	n, err := countResources(tx, o.Type)
	if err != nil {
		return err
	}
	if n == 0 {
		return d.finishOperation(tx, o)
	}
	return d.failOperation(tx, o, fmt.Sprintf("%d resources of this type were made while it was taken away", n))
}

var errTypeFormer = errors.New("the former definition of the type cannot be read")

// restoreType puts a resource type back that was taken away.
func restoreType(defs *schemas.Definitions, o *operation) error {
	var t schemas.TypeDefinition
	if err := json.Unmarshal([]byte(o.former), &t); err != nil {
		return fmt.Errorf("%w: %w", errTypeFormer, err)
	}
	defs.Types = append(defs.Types, t)
	return nil
}
