package directory

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/schemas"
)

func scanLinks(rows *sql.Rows) (all []LinkDefinition, err error) {
	defer func() { _ = rows.Close() }() // Err tells what matters
	for rows.Next() {
		l, err := scanLink(rows)
		if err != nil {
			return nil, fmt.Errorf("read linked object definition: %w", err)
		}
		all = append(all, l)
	}
	return all, rows.Err()
}

// Link makes a user the primary one of another, in the place of who was it before. A
// user may be linked to itself. name is that of the primary side.
func (d *Directory) Link(ctx context.Context, c Change, associatedID, name, primaryID string) error {
	return d.changeLink(ctx, name, func(tx *sqldb.Tx, l LinkDefinition) error {
		people, err := d.linkedPeopleTx(tx, associatedID, primaryID)
		if err != nil {
			return err
		}
		_, err = tx.Exec(`INSERT INTO links (associated_rid, definition, primary_rid) VALUES ($1, $2, $3)
			ON CONFLICT (associated_rid, definition) DO UPDATE SET primary_rid = excluded.primary_rid`,
			people[associatedID], l.Primary.Name, people[primaryID])
		if err != nil {
			return fmt.Errorf("store link: %w", err)
		}
		return d.tellLink(tx, c, "user.linked_object.set", l, associatedID, primaryID)
	})
}

// linkedPeopleTx locks the two, in the order that everybody locks people.
func (d *Directory) linkedPeopleTx(tx *sqldb.Tx, ids ...string) (map[string]int64, error) {
	people, err := peopleTx(tx, ids, nil)
	if _, unknown := errors.AsType[*schemas.Error](err); unknown {
		return nil, ErrNotFound
	}
	byID := map[string]int64{}
	for _, p := range people {
		byID[p.id] = p.rid
	}
	return byID, err
}

// Unlink takes the primary user of a relation from a user; having none is no error.
func (d *Directory) Unlink(ctx context.Context, c Change, associatedID, name string) error {
	return d.changeLink(ctx, name, func(tx *sqldb.Tx, l LinkDefinition) error {
		people, err := d.linkedPeopleTx(tx, associatedID)
		if err != nil {
			return err
		}
		gone, err := column[int64](tx.Query(`DELETE FROM links WHERE associated_rid = $1 AND definition = $2 RETURNING primary_rid`,
			people[associatedID], l.Primary.Name))
		if err != nil {
			return fmt.Errorf("delete link: %w", err)
		}
		if len(gone) == 0 {
			return nil
		}
		return d.tellLink(tx, c, "user.linked_object.remove", l, associatedID)
	})
}

// changeLink runs change with the relation whose primary side is called name.
func (d *Directory) changeLink(ctx context.Context, name string, change func(tx *sqldb.Tx, l LinkDefinition) error) error {
	return d.DB.Write(ctx, func(tx *sqldb.Tx) error {
		all, err := linkDefinitionsTx(tx)
		if err != nil {
			return err
		}
		l, err := linkNamed(all, name)
		if err != nil {
			return err
		}
		if schemas.Fold(l.Primary.Name) != schemas.Fold(name) {
			return linkError("primaryRelationshipName", fmt.Sprintf("%q is the associated side: links are made by the primary side", name))
		}
		if err := lockLink(tx, l); err != nil {
			return err
		}
		return change(tx, l)
	})
}

// lockLink keeps a relation from being deleted while links of it are made.
func lockLink(tx *sqldb.Tx, l LinkDefinition) error {
	found, err := column[string](tx.Query(`SELECT primary_name FROM link_definitions WHERE primary_name = $1`+tx.ForUpdate(), l.Primary.Name))
	if err == nil && len(found) == 0 {
		return ErrNotFound
	}
	return err
}

func (d *Directory) tellLink(tx *sqldb.Tx, c Change, typ string, l LinkDefinition, userIDs ...string) error {
	ev := events.Event{Type: typ}
	for _, id := range userIDs {
		ev.Targets = append(ev.Targets, events.Target{ID: id, Type: typeUser})
	}
	ev.Targets = append(ev.Targets, l.target()...)
	_, err := d.audit(tx, c, ev)
	return err
}

// Linked returns the IDs of the users at the other end of a relation: the primary one
// when name is the primary side, all associated ones when it is the other.
func (d *Directory) Linked(ctx context.Context, userID, name string) ([]string, error) {
	l, err := d.LinkDefinition(ctx, name)
	if err != nil {
		return nil, err
	}
	if _, err := d.User(ctx, userID); err != nil {
		return nil, err
	}
	this, other := "associated_rid", "primary_rid"
	if schemas.Fold(l.Associated.Name) == schemas.Fold(name) {
		this, other = other, this
	}
	ids, err := column[string](d.DB.Query(ctx, `SELECT r.id FROM links l JOIN resources r ON r.rid = l.`+other+`
		WHERE l.`+this+` = (SELECT rid FROM resources WHERE id = $1) AND l.definition = $2 ORDER BY l.`+other, userID, l.Primary.Name))
	if err != nil {
		return nil, fmt.Errorf("read links: %w", err)
	}
	return ids, nil
}

// forgetLinksTx takes a user that is deleted out of every relation.
func forgetLinksTx(tx *sqldb.Tx, rid int64) error {
	for _, statement := range []string{`DELETE FROM links WHERE associated_rid = $1`, `DELETE FROM links WHERE primary_rid = $1`} {
		if _, err := tx.Exec(statement, rid); err != nil {
			return fmt.Errorf("forget links of user: %w", err)
		}
	}
	return nil
}
