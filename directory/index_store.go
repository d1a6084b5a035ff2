package directory

import (
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
		_, err := tx.Exec(`DELETE FROM attribute_values WHERE path = $1 AND val = $2 AND rid = $3 AND elem = $4`,
			e.Path, e.Value, rid, e.Elem)
		if err != nil {
			return fmt.Errorf("drop index rows: %w", err)
		}
	}
	if _, err := tx.InsertMany(`INSERT INTO attribute_values (path, val, rid, elem)`, 4, "", added); err != nil {
		return fmt.Errorf("add index rows: %w", err)
	}
	return nil
}

// claimUnique gives the new unique values to a resource and frees those it no longer
// has. A value that is taken is a *Conflict.
func claimUnique(tx *sqldb.Tx, typ string, rid int64, old, new []schemas.Entry) error {
	for _, e := range old {
		if hasEntry(new, e) {
			continue
		}
		if _, err := tx.Exec(`DELETE FROM unique_values WHERE path = $1 AND val = $2`, typ+":"+e.Path, e.Value); err != nil {
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
