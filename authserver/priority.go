package authserver

import (
	"database/sql"
	"encoding/json"
	"errors"
	"slices"

	"github.com/provost-id/provost/internal/sqldb"
)

// placed runs store for an object that takes a place among its siblings: priority is
// 1 for the first, and 0 for the last. The siblings are counted anew, so that
// priorities are always 1, 2, 3 without a gap. The parent row is locked: two changes
// at once cannot give one place twice.
func placed(tx *sqldb.Tx, kind, parent, id string, priority *int, store func() error) error {
	if err := lockObject(tx, parent); err != nil {
		return err
	}
	siblings, err := siblingsOf(tx, kind, parent, id)
	if err != nil {
		return err
	}
	if *priority <= 0 || *priority > len(siblings)+1 {
		*priority = len(siblings) + 1
	}
	siblings = slices.Insert(siblings, *priority-1, object{ID: id})
	for i, o := range siblings {
		if o.ID == id || o.Rank == int64(i+1) {
			continue
		}
		if err := rerank(tx, o, i+1); err != nil {
			return err
		}
	}
	return store()
}

func lockObject(tx *sqldb.Tx, id string) error {
	var found string
	err := tx.QueryRow(`SELECT id FROM auth_objects WHERE id = $1`+tx.ForUpdate(), id).Scan(&found)
	if errors.Is(err, sql.ErrNoRows) {
		return ErrNotFound
	}
	return err
}

func siblingsOf(tx *sqldb.Tx, kind, parent, but string) ([]object, error) {
	rows, err := tx.Query(`SELECT id, name, rank, body FROM auth_objects
		WHERE kind = $1 AND parent = $2 AND id <> $3 ORDER BY rank, id`, kind, parent, but)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // rows.Err tells
	var out []object
	for rows.Next() {
		o := object{Kind: kind, Parent: parent}
		if err := rows.Scan(&o.ID, &o.Name, &o.Rank, &o.Body); err != nil {
			return nil, err
		}
		out = append(out, o)
	}
	return out, rows.Err()
}

// rerank writes the new priority into row and body, leaving the rest of it alone.
func rerank(tx *sqldb.Tx, o object, rank int) error {
	body := map[string]json.RawMessage{}
	if err := json.Unmarshal(o.Body, &body); err != nil {
		return err
	}
	raw, err := json.Marshal(rank)
	if err != nil {
		return err
	}
	body["priority"], o.Rank = raw, int64(rank)
	return updateObject(tx, o, body)
}
