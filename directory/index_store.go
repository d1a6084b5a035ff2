package directory

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/schemas"
)

// chunk is how many rows go into one statement: few enough that the statements of all
// lengths stay prepared, enough that their number does not count.
const chunk = 32

// list returns "$first, $first+1, ..." of n parameters.
func list(first, n int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString("$" + strconv.Itoa(first+i))
	}
	return b.String()
}

// moveIndex brings the index rows of a resource from those of its old document to those
// of the new one; either may be nil. Attributes whose rows are being written anew may
// have rows of another form, and none of the right one.
func moveIndex(tx *sqldb.Tx, rid int64, was, next *schemas.Resource) error {
	var old, new []schemas.Entry
	if was != nil {
		old = was.Index()
	}
	if next != nil {
		new = next.Index()
	}
	former := was.Former()
	for _, e := range former {
		if err := dropIndexRow(tx, rid, e); err != nil {
			return err
		}
	}
	if err := reindex(tx, rid, old, new); err != nil || former == nil || next == nil {
		return err
	}
	return fillIndex(tx, rid, next.Type, new)
}

// fillIndex inserts the rows of attributes that may lack them.
func fillIndex(tx *sqldb.Tx, rid int64, t *schemas.Type, entries []schemas.Entry) error {
	var values []any
	for _, e := range entries {
		if t.Building(e.Path) {
			values = append(values, e.Path, e.Value, rid, e.Elem)
		}
	}
	_, err := tx.InsertMany(`INSERT INTO attribute_values (path, val, rid, elem)`, 4, ` ON CONFLICT DO NOTHING`, values)
	if err != nil {
		return fmt.Errorf("fill index: %w", err)
	}
	return nil
}

func dropIndexRow(tx *sqldb.Tx, rid int64, e schemas.Entry) error {
	_, err := tx.Exec(removeIndexRow, e.Path, e.Value, rid, e.Elem)
	if err != nil {
		return fmt.Errorf("drop index rows: %w", err)
	}
	return nil
}

// reindex brings the index rows of a resource from the entries of its old document to
// those of the new one, either of which may be empty.
func reindex(tx *sqldb.Tx, rid int64, old, new []schemas.Entry) error {
	have := make(map[schemas.Entry]bool, len(old))
	for _, e := range old {
		have[e] = true
	}
	var added []any
	for _, e := range new {
		if have[e] {
			delete(have, e)
			continue
		}
		added = append(added, e.Path, e.Value, rid, e.Elem)
	}
	for _, e := range old {
		if !have[e] {
			continue
		}
		if err := dropIndexRow(tx, rid, e); err != nil {
			return err
		}
	}
	if _, err := tx.InsertMany(`INSERT INTO attribute_values (path, val, rid, elem)`, 4, "", added); err != nil {
		return fmt.Errorf("add index rows: %w", err)
	}
	return nil
}

// claimFor is claimUnique for a resource of a type: while an attribute becomes unique, a
// value may be held by one that has not claimed it yet.
func claimFor(tx *sqldb.Tx, t *schemas.Type, rid int64, old, new []schemas.Entry) error {
	for _, e := range new {
		if !t.Pending(e.Path) || hasEntry(old, e) {
			continue
		}
		if err := heldElsewhere(tx, t, rid, e); err != nil {
			return err
		}
	}
	err := claimUnique(tx, t.Name, rid, old, new)
	if taken, ok := errors.AsType[*Conflict](err); ok {
		return &Conflict{Type: taken.Type, Attr: t.Spell(taken.Attr)}
	}
	return err
}

// claimUnique gives the new unique values to a resource and frees those it no longer
// has. A value that is taken is a *Conflict.
func claimUnique(tx *sqldb.Tx, typ string, rid int64, old, new []schemas.Entry) error {
	for _, e := range old {
		if hasEntry(new, e) {
			continue
		}
		// While the attribute becomes unique, the value may be that of another.
		if _, err := tx.Exec(`DELETE FROM unique_values WHERE path = $1 AND val = $2 AND rid = $3`, typ+":"+e.Path, e.Value, rid); err != nil {
			return fmt.Errorf("free unique value: %w", err)
		}
	}
	for _, e := range new {
		if hasEntry(old, e) {
			continue
		}
		_, err := tx.Exec(`INSERT INTO unique_values (path, val, rid) VALUES ($1, $2, $3)`, typ+":"+e.Path, e.Value, rid)
		if sqldb.IsUnique(err) {
			return &Conflict{Type: typ, Attr: e.Path}
		}
		if err != nil {
			return fmt.Errorf("claim unique value: %w", err)
		}
	}
	return nil
}

// heldElsewhere finds a value at a resource that has not claimed it yet: the attribute is
// becoming unique, and the pass over what is there has not come to it.
func heldElsewhere(tx *sqldb.Tx, t *schemas.Type, rid int64, e schemas.Entry) error {
	var held bool
	err := tx.QueryRow(`SELECT EXISTS (SELECT 1 FROM attribute_values v JOIN resources r ON r.rid = v.rid AND r.type = $1
		WHERE v.path = $2 AND v.val = $3 AND v.rid <> $4)`, t.Name, e.Path, e.Value, rid).Scan(&held)
	if err != nil {
		return fmt.Errorf("look for holder of value: %w", err)
	}
	if held {
		return &Conflict{Type: t.Name, Attr: t.Spell(e.Path)}
	}
	return nil
}

func hasEntry(all []schemas.Entry, e schemas.Entry) bool {
	for _, x := range all {
		if x.Path == e.Path && x.Value == e.Value {
			return true
		}
	}
	return false
}

// setExternalID stores the external ID that a client gives a resource; empty removes it.
func setExternalID(tx *sqldb.Tx, rid int64, client, value string) error {
	var err error
	if value == "" {
		_, err = tx.Exec(`DELETE FROM external_ids WHERE rid = $1 AND client = $2`, rid, client)
	} else {
		_, err = tx.Exec(`INSERT INTO external_ids (rid, client, value) VALUES ($1, $2, $3)
			ON CONFLICT (rid, client) DO UPDATE SET value = excluded.value`, rid, client, value)
	}
	if err != nil {
		return fmt.Errorf("store external ID: %w", err)
	}
	return nil
}
