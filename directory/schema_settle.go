package directory

import (
	"fmt"

	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/schemas"
)

// settleSchemaBatch carries out a batch and writes down how far the operation has come.
func (d *Directory) settleSchemaBatch(tx *sqldb.Tx, o *operation, b *schemaBatch) error {
	switch o.Kind {
	case OpDrop:
		return d.settleDrop(tx, o)
	case OpRelease:
		return d.settleRows(tx, o, b)
	case OpIndex:
		if o.phase == 0 {
			return d.nextPhase(tx, o)
		}
	case OpRemove:
		if o.phase > 0 {
			return d.settleRows(tx, o, b)
		}
	}
	failure, err := d.settleDocuments(tx, o, b)
	if err != nil {
		return err
	}
	if failure != "" {
		return d.failOperation(tx, o, failure)
	}
	if err := d.moveOperation(tx, o, b); err != nil || b.last < o.until {
		return err
	}
	if o.Kind == OpRemove {
		return d.nextPhase(tx, o)
	}
	return d.finishOperation(tx, o)
}

// settleDocuments looks at the resources of a batch. A failure says why the operation
// cannot succeed.
func (d *Directory) settleDocuments(tx *sqldb.Tx, o *operation, b *schemaBatch) (failure string, err error) {
	t, known := d.Schemas().Type(o.Type)
	if !known {
		return "", fmt.Errorf("schema has no resource type %s", o.Type)
	}
	all, err := holdResources(tx, o.Type, b.rids)
	if err != nil {
		return "", err
	}
	settle := map[string]func(*sqldb.Tx, *operation, held, *schemas.Resource) (string, error){
		OpIndex: settleIndex, OpCheck: settleCheck, OpUnique: settleUnique, OpRemove: d.settleRemove,
	}[o.Kind]
	for _, h := range all {
		r, err := t.Decode(h.doc)
		if err != nil {
			return "", fmt.Errorf("document of %s: %w", h.id, err)
		}
		if failure, err := settle(tx, o, h, r); err != nil || failure != "" {
			return failure, err
		}
	}
	return "", nil
}

// settleIndex writes the index rows of one resource anew.
func settleIndex(tx *sqldb.Tx, o *operation, h held, r *schemas.Resource) (string, error) {
	for _, e := range r.Index() {
		if e.Path == o.path && len(e.Value) > schemas.MaxIndexed {
			return fmt.Sprintf("%s has a value of %d bytes, and the index holds at most %d", h.id, len(e.Value), schemas.MaxIndexed), nil
		}
	}
	return "", moveIndex(tx, h.rid, r, r)
}

// settleCheck holds one resource against the rules.
func settleCheck(_ *sqldb.Tx, o *operation, h held, r *schemas.Resource) (string, error) {
	if h.status == string(BuiltInGroup) {
		return "", nil
	}
	if err := r.CheckPath(o.path); err != nil {
		return fmt.Sprintf("%s: %v", h.id, err), nil
	}
	return "", nil
}

// settleUnique gives one resource its values, unless another has one of them.
func settleUnique(tx *sqldb.Tx, o *operation, h held, r *schemas.Resource) (string, error) {
	for _, e := range r.Unique() {
		if e.Path != o.path {
			continue
		}
		path := o.Type + ":" + e.Path
		claimed, err := tx.InsertMany(`INSERT INTO unique_values (path, val, rid)`, 3, ` ON CONFLICT (path, val) DO NOTHING`, []any{path, e.Value, h.rid})
		if err != nil {
			return "", fmt.Errorf("claim unique value: %w", err)
		}
		if claimed == 1 {
			continue
		}
		var owner int64
		var ownerID string
		err = tx.QueryRow(`SELECT u.rid, COALESCE((SELECT r.id FROM resources r WHERE r.rid = u.rid), '') FROM unique_values u
			WHERE u.path = $1 AND u.val = $2`, path, e.Value).Scan(&owner, &ownerID)
		if err != nil {
			return "", fmt.Errorf("read owner of unique value: %w", err)
		}
		if owner != h.rid {
			return fmt.Sprintf("%s and %s have the same value", ownerID, h.id), nil
		}
	}
	return "", nil
}

// moveOperation writes down how far an operation has come.
func (d *Directory) moveOperation(tx *sqldb.Tx, o *operation, b *schemaBatch) error {
	if _, err := tx.Exec(`UPDATE schema_operations SET after_rid = $2, done = done + $3 WHERE id = $1`, o.ID, b.last, b.looked); err != nil {
		return fmt.Errorf("move schema operation on: %w", err)
	}
	return nil
}

// nextPhase begins what an operation does after its first part: the rows of an index, once
// nobody asks for them any more, or what is left of an attribute beside the documents.
func (d *Directory) nextPhase(tx *sqldb.Tx, o *operation) error {
	until := "-1"
	if o.Kind == OpRemove {
		until = "until_rid"
	}
	if _, err := tx.Exec(`UPDATE schema_operations SET phase = phase + 1, horizon = 0, after_rid = 0, until_rid = `+until+` WHERE id = $1`, o.ID); err != nil {
		return fmt.Errorf("begin next phase of schema operation: %w", err)
	}
	return d.schema.Bump(tx)
}
