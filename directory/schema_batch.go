package directory

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/provost-id/provost/internal/sqldb"
)

const (
	// schemaPage is how many resources one transaction of an operation may change: few
	// enough that another writer hardly waits.
	schemaPage = 64
	// schemaWindow is how many resources are passed over between two transactions: what is
	// read again after a stop.
	schemaWindow = 5000
)

// schemaBatch is what one transaction does to move an operation on.
type schemaBatch struct {
	rids   []int64 // of the resources that have to be looked at
	last   int64   // the next batch follows it
	looked int64   // how many resources were passed over or looked at

	remove string // statement that removes a row that is left
	keys   [][]any
}

// nextSchemaBatch finds the next resources whose documents have a value of the attribute.
// All others are passed over, without being decoded and without a lock.
func (d *Directory) nextSchemaBatch(ctx context.Context, o *operation) (*schemaBatch, error) {
	b := &schemaBatch{last: o.until}
	if o.Kind == OpRelease || o.Kind == OpRemove && o.phase > 0 {
		var err error
		b.remove, b.keys, err = d.findLeftovers(ctx, o)
		return b, err
	}
	if o.after >= o.until || !o.readsDocuments() {
		return b, nil
	}
	err := d.DB.QueryRow(ctx, `SELECT COALESCE(MAX(rid), 0), COUNT(*) FROM (
		SELECT rid FROM resources WHERE type = $1 AND rid > $2 AND rid <= $3 ORDER BY rid LIMIT $4) w`,
		o.Type, o.after, o.until, schemaWindow).Scan(&b.last, &b.looked)
	if err != nil {
		return nil, fmt.Errorf("look for resources: %w", err)
	}
	if b.looked == 0 {
		b.last = o.until
		return b, nil
	}
	contains := `strpos(d.doc, $4) > 0`
	if d.DB.Dialect() == sqldb.SQLite {
		contains = `instr(d.doc, $4) > 0`
	}
	b.rids, err = ints(d.DB.Query(ctx, `SELECT r.rid FROM resources r JOIN documents d ON d.rid = r.rid
		WHERE r.type = $1 AND r.rid > $2 AND r.rid <= $3 AND `+contains+` ORDER BY r.rid LIMIT $5`,
		o.Type, o.after, b.last, o.needle(), schemaPage))
	if err != nil || len(b.rids) < schemaPage {
		return b, err
	}
	b.last = b.rids[schemaPage-1]
	err = d.DB.QueryRow(ctx, `SELECT COUNT(*) FROM resources WHERE type = $1 AND rid > $2 AND rid <= $3`, o.Type, o.after, b.last).Scan(&b.looked)
	if err != nil {
		return nil, fmt.Errorf("look for resources: %w", err)
	}
	return b, nil
}

// readsDocuments says whether the operation is a pass over the documents.
func (o *operation) readsDocuments() bool {
	switch o.Kind {
	case OpDrop, OpRelease:
		return false
	case OpRemove:
		return o.phase == 0
	case OpIndex:
		return o.phase > 0
	default:
		return true
	}
}

// needle is in the text of every document that has a value of the attribute: names are
// canonical there, and a quotation mark inside of a value is escaped. It is in every
// document when what is missing matters as well.
func (o *operation) needle() string {
	name, _, _ := strings.Cut(o.Attribute, ".")
	switch {
	case o.Kind == OpCheck:
		return "{"
	case name == "":
		name = o.Schema
	}
	return `"` + name + `":`
}

// held is a resource that an operation has locked.
type held struct {
	rid, version int64
	id, status   string
	doc          []byte
}

// holdResources locks resources and reads them: people in the order of their IDs, as
// everybody does, and whatever else in the order of its rows. Those that are gone are
// left out.
func holdResources(tx *sqldb.Tx, typ string, rids []int64) ([]held, error) {
	if len(rids) == 0 {
		return nil, nil
	}
	args := []any{typ}
	for _, rid := range slices.Sorted(slices.Values(rids)) {
		args = append(args, rid)
	}
	order := ` ORDER BY rid`
	if typ == typeUser {
		order = ` ORDER BY id`
	}
	where := ` WHERE type = $1 AND rid IN (` + list(2, len(rids)) + `)`
	if tx.ForUpdate() != "" {
		if _, err := ints(tx.Query(`SELECT rid FROM resources`+where+order+tx.ForUpdate(), args...)); err != nil {
			return nil, fmt.Errorf("lock resources: %w", err)
		}
	}
	var all []held
	err := eachRow("read resources", func(row scanner) error {
		var h held
		err := row.Scan(&h.rid, &h.id, &h.version, &h.status, &h.doc)
		all = append(all, h)
		return err
	})(tx.Query(`SELECT r.rid, r.id, r.version, r.status, (SELECT d.doc FROM documents d WHERE d.rid = r.rid) FROM (
		SELECT rid, id, version, status FROM resources`+where+`) r`+order, args...))
	return all, err
}
