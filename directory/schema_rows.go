package directory

import (
	"context"
	"fmt"

	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/schemas"
	"github.com/provost-id/provost/schemas/scim"
)

// schemaRows is how many rows of the index, or of unique values, one transaction removes.
const schemaRows = 200

// listedPath is the path in the index of the extensions that a resource lists.
const listedPath = "schemas"

// leftover are rows that nobody writes any more: those of an attribute that is gone, or
// that is unique no longer. They are looked for outside of the transaction that removes
// them, so that nobody waits for the search.
type leftover struct {
	find   string // selects the columns of the key
	args   []any
	remove string
	kinds  string // of the columns of the key: t for text, n for a number
}

const removeIndexRow = `DELETE FROM attribute_values WHERE path = $1 AND val = $2 AND rid = $3 AND elem = $4`

// leftovers are the rows that an operation removes.
func (o *operation) leftovers() []leftover {
	var all []leftover
	for _, r := range o.ranges() {
		if o.Kind == OpRemove {
			all = append(all, leftover{
				// Another type that has the same extension keeps its own. A resource that was
				// deleted meanwhile took along what the schema had then.
				find: `SELECT v.path, v.val, v.rid, v.elem FROM attribute_values v LEFT JOIN resources r ON r.rid = v.rid
					WHERE v.path >= $2 AND v.path < $3 AND (r.type = $1 OR r.rid IS NULL) LIMIT $4`,
				args:   []any{o.Type, r[0], r[1], schemaRows},
				remove: removeIndexRow, kinds: "ttnn",
			})
		}
		all = append(all, leftover{
			find:   `SELECT path, val FROM unique_values WHERE path >= $1 AND path < $2 LIMIT $3`,
			args:   []any{o.Type + ":" + r[0], o.Type + ":" + r[1], schemaRows},
			remove: `DELETE FROM unique_values WHERE path = $1 AND val = $2`, kinds: "tt",
		})
	}
	if o.Kind == OpRemove && o.Attribute == "" {
		all = append(all, leftover{
			find: `SELECT v.path, v.val, v.rid, v.elem FROM attribute_values v LEFT JOIN resources r ON r.rid = v.rid
				WHERE v.path = $2 AND v.val = $3 AND (r.type = $1 OR r.rid IS NULL) LIMIT $4`,
			args: []any{o.Type, listedPath, schemas.Fold(o.Schema), schemaRows}, remove: removeIndexRow, kinds: "ttnn",
		})
	}
	if o.Kind == OpRemove && o.Schema == scim.OrgUser {
		all = append(all, leftover{
			find: `SELECT rid, attr FROM attribute_sources WHERE attr = $1 LIMIT $2`, args: []any{o.Attribute, schemaRows},
			remove: `DELETE FROM attribute_sources WHERE rid = $1 AND attr = $2`, kinds: "nt",
		})
	}
	return all
}

// ranges are the paths in the index that an operation is about: the attribute itself with
// its sub-attributes, or all attributes of an extension.
func (o *operation) ranges() [][2]string {
	if o.Attribute == "" {
		return [][2]string{{o.path + ":", o.path + ";"}} // ';' follows ':'
	}
	return [][2]string{{o.path, o.path + "\x01"}, {o.path + ".", o.path + "/"}} // '/' follows '.'
}

// findLeftovers reads the keys of some rows that are left; none when there are none.
func (d *Directory) findLeftovers(ctx context.Context, o *operation) (remove string, keys [][]any, err error) {
	for _, l := range o.leftovers() {
		err := eachRow("look for rows that are left", func(row scanner) error {
			key, err := scanKey(row, l.kinds)
			keys = append(keys, key)
			return err
		})(d.DB.Query(ctx, l.find, l.args...))
		if err != nil || len(keys) > 0 {
			return l.remove, keys, err
		}
	}
	return "", nil, nil
}

func scanKey(row scanner, kinds string) ([]any, error) {
	texts, numbers := make([]string, len(kinds)), make([]int64, len(kinds))
	into, key := make([]any, len(kinds)), make([]any, len(kinds))
	for i, k := range kinds {
		if into[i] = &texts[i]; k == 'n' {
			into[i] = &numbers[i]
		}
	}
	err := row.Scan(into...)
	for i, k := range kinds {
		if key[i] = texts[i]; k == 'n' {
			key[i] = numbers[i]
		}
	}
	return key, err
}

// settleRows removes rows that are left, and ends the operation when there are none.
func (d *Directory) settleRows(tx *sqldb.Tx, o *operation, b *schemaBatch) error {
	for _, key := range b.keys {
		if _, err := tx.Exec(b.remove, key...); err != nil {
			return fmt.Errorf("remove rows that are left: %w", err)
		}
	}
	if len(b.keys) > 0 {
		return nil
	}
	return d.finishOperation(tx, o)
}
