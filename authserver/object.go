package authserver

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/sqldb"
)

// The kinds of configuration objects.
const (
	kindServer = "server"
	kindScope  = "scope"
	kindClaim  = "claim"
	kindPolicy = "policy"
	kindRule   = "rule"
)

// object is one configuration row. Body is what the management API shows.
type object struct {
	ID, Kind, Parent, Name string
	Rank                   int64
	Body                   []byte
}

// Change says who changes the configuration and by which request.
type Change struct {
	Actor   events.Actor
	Request string
}

func insertObject(tx *sqldb.Tx, o object, body any) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("encode %s: %w", o.Kind, err)
	}
	var parent any
	if o.Parent != "" {
		parent = o.Parent
	}
	_, err = tx.Exec(`INSERT INTO auth_objects (id, kind, parent, name, rank, body) VALUES ($1, $2, $3, $4, $5, $6)`,
		o.ID, o.Kind, parent, o.Name, o.Rank, string(raw))
	return objectError(o, err)
}

func updateObject(tx *sqldb.Tx, o object, body any) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("encode %s: %w", o.Kind, err)
	}
	res, err := tx.Exec(`UPDATE auth_objects SET name = $2, rank = $3, body = $4 WHERE id = $1 AND kind = $5`,
		o.ID, o.Name, o.Rank, string(raw), o.Kind)
	if err != nil {
		return objectError(o, err)
	}
	return oneRow(res)
}

func deleteObject(tx *sqldb.Tx, kind, id string) error {
	res, err := tx.Exec(`DELETE FROM auth_objects WHERE id = $1 AND kind = $2`, id, kind)
	if err != nil {
		return fmt.Errorf("delete %s %s: %w", kind, id, err)
	}
	return oneRow(res)
}

func oneRow(res sql.Result) error {
	n, err := res.RowsAffected()
	if err == nil && n == 0 {
		return ErrNotFound
	}
	return err
}

func objectError(o object, err error) error {
	switch {
	case err == nil:
		return nil
	case sqldb.IsUnique(err):
		return ErrConflict
	case sqldb.IsForeignKey(err):
		return ErrNotFound
	}
	return fmt.Errorf("store %s %s: %w", o.Kind, o.ID, err)
}

// objectTx reads one object for a change, and locks it.
func objectTx[T any](tx *sqldb.Tx, kind, parent, id string) (T, object, error) {
	o := object{ID: id, Kind: kind, Parent: parent}
	var v T
	row := tx.QueryRow(`SELECT name, rank, body FROM auth_objects
		WHERE id = $1 AND kind = $2 AND coalesce(parent, '') = $3`+tx.ForUpdate(), id, kind, parent)
	err := row.Scan(&o.Name, &o.Rank, &o.Body)
	if errors.Is(err, sql.ErrNoRows) {
		return v, o, ErrNotFound
	}
	if err != nil {
		return v, o, fmt.Errorf("read %s %s: %w", kind, id, err)
	}
	return v, o, json.Unmarshal(o.Body, &v)
}

// readObjects reads every configuration object in the order of rank and age.
func readObjects(ctx context.Context, r sqldb.Reader) ([]object, error) {
	rows, err := r.Query(ctx, `SELECT id, kind, coalesce(parent, ''), name, rank, body FROM auth_objects ORDER BY rank, id`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // rows.Err tells
	var out []object
	for rows.Next() {
		var o object
		if err := rows.Scan(&o.ID, &o.Kind, &o.Parent, &o.Name, &o.Rank, &o.Body); err != nil {
			return nil, err
		}
		out = append(out, o)
	}
	return out, rows.Err()
}

// change runs one change of the configuration with its event.
func (s *Service) change(ctx context.Context, c Change, event string, target events.Target, fn func(*sqldb.Tx) error) error {
	return s.DB.Write(ctx, func(tx *sqldb.Tx) error {
		if err := fn(tx); err != nil {
			return err
		}
		if err := s.servers.Bump(tx); err != nil {
			return err
		}
		return events.Append(tx, events.Event{
			Type: event, Time: s.now(), Actor: c.Actor, Request: c.Request, Targets: []events.Target{target},
		})
	})
}
