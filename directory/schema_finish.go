package directory

import (
	"fmt"
	"strings"
	"time"

	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/schemas"
)

// finishOperation ends an operation that has done what it was for.
func (d *Directory) finishOperation(tx *sqldb.Tx, o *operation) error {
	if err := d.endOperation(tx, o, OpSucceeded, ""); err != nil {
		return err
	}
	old := d.now().Add(-keepOperations).UnixMicro()
	if _, err := tx.Exec(`DELETE FROM schema_operations WHERE status <> 'RUNNING' AND created < $1`, old); err != nil {
		return fmt.Errorf("forget old schema operations: %w", err)
	}
	return d.schema.Bump(tx)
}

// endOperation writes down how an operation ended, and tells of it.
func (d *Directory) endOperation(tx *sqldb.Tx, o *operation, status, reason string) error {
	_, err := tx.Exec(`UPDATE schema_operations SET status = $2, reason = $3, finished = $4 WHERE id = $1`, o.ID, status, reason, d.now().UnixMicro())
	if err != nil {
		return fmt.Errorf("end schema operation: %w", err)
	}
	target := events.Target{ID: o.Schema, Type: targetTypes[defSchema], Name: o.Attribute}
	if o.Schema == "" {
		target = events.Target{ID: o.Type, Type: targetTypes[defType]}
	}
	ev := events.Event{
		Type: "directory.schema.operation.end", Targets: []events.Target{target},
		Detail: map[string]any{"operation": o.ID, "kind": o.Kind, "type": o.Type, "attribute": o.Attribute},
	}
	if status == OpFailed {
		ev.Outcome, ev.Reason = events.Failure, reason
	}
	_, err = d.audit(tx, Change{Actor: events.System}, ev)
	return err
}

func cancelOperations(tx *sqldb.Tx, ops []*operation, now time.Time) error {
	for _, o := range ops {
		_, err := tx.Exec(`UPDATE schema_operations SET status = $2, reason = $3, finished = $4 WHERE id = $1 AND status = 'RUNNING'`,
			o.ID, OpCancelled, "a later change of the schema", now.UnixMicro())
		if err != nil {
			return fmt.Errorf("cancel schema operation: %w", err)
		}
	}
	return nil
}

// failOperation ends an operation that cannot succeed, and takes back what it was for: for
// all resource types that have the attribute, since it is one.
func (d *Directory) failOperation(tx *sqldb.Tx, o *operation, reason string) error {
	if err := d.endOperation(tx, o, OpFailed, reason); err != nil {
		return err
	}
	was, err := d.lockSchemas(tx)
	if err != nil {
		return err
	}
	next := was.defs.Clone()
	if err := o.takeBack(next); err != nil {
		return err
	}
	siblings, undo := o.undo(was)
	if err := cancelOperations(tx, siblings, d.now()); err != nil {
		return err
	}
	before, err := definitionsOf(was.defs)
	if err != nil {
		return err
	}
	after, err := definitionsOf(next)
	if err != nil {
		return err
	}
	changes, err := storeDefinitions(tx, before, after, d.now())
	if err != nil {
		return err
	}
	if err := d.insertOperations(tx, undo); err != nil {
		return err
	}
	for _, change := range changes {
		if err := d.auditSchema(tx, Change{Actor: events.System}, change, undo); err != nil {
			return err
		}
	}
	return d.schema.Bump(tx)
}

// takeBack restores what the operation was for, and leaves whatever else has changed.
func (o *operation) takeBack(defs *schemas.Definitions) error {
	if o.Kind == OpDrop {
		return restoreType(defs, o)
	}
	former, err := o.formerAttribute()
	if err != nil {
		return err
	}
	s := defs.Schema(o.Schema)
	if s == nil {
		return nil
	}
	a := s.Attribute(o.Attribute)
	if name, sub, dotted := strings.Cut(o.Attribute, "."); dotted {
		if a = s.Attribute(name); a != nil {
			a = named(a.SubAttributes, sub)
		}
	}
	if a == nil {
		return nil
	}
	switch o.Kind {
	case OpUnique:
		a.Uniqueness = schemas.UniqueNone
	case OpCheck:
		a.Rules, a.Required = former.Rules, former.Required
		a.Titles = former.Titles
	case OpIndex:
		a.Unindexed, a.CaseExact = former.Unindexed, former.CaseExact
	}
	return nil
}

// undo are the operations of other types, for the same change of the same attribute, which
// end with this one, and those that undo what all of them have done.
func (o *operation) undo(s *schemaState) (siblings, undo []*operation) {
	if o.Kind == OpDrop {
		return nil, nil
	}
	kind := map[string]string{OpUnique: OpRelease, OpIndex: OpIndex}[o.Kind]
	for _, b := range s.boundsTo(o.Schema) {
		if kind != "" {
			undo = append(undo, &operation{
				SchemaOperation: SchemaOperation{Kind: kind, Type: b.typ, Schema: o.Schema, Attribute: o.Attribute},
				path:            b.path(o.Attribute), former: o.former, phase: 1,
			})
		}
	}
	for _, other := range s.open {
		if other.ID != o.ID && other.Kind == o.Kind && strings.EqualFold(other.Schema, o.Schema) && strings.EqualFold(other.Attribute, o.Attribute) {
			siblings = append(siblings, other)
		}
	}
	return siblings, undo
}

// boundsTo are the resource types that have a schema.
func (s *schemaState) boundsTo(urn string) []bound {
	all, err := boundsOf(s.defs)
	if err != nil { // what is stored has been compiled
		panic(err)
	}
	var to []bound
	for _, key := range sortedBounds(all, nil) {
		if b := all[key]; strings.EqualFold(b.urn, urn) {
			to = append(to, b)
		}
	}
	return to
}
