package directory

import (
	"context"
	"fmt"
	"regexp"

	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/schemas"
)

// LinkEnd is one side of a relation between users.
type LinkEnd struct {
	Name        string // as paths spell it
	Title       string
	Description string
}

// LinkDefinition is a relation between users: one primary user, as a manager, to many
// associated ones, as subordinates.
type LinkDefinition struct{ Primary, Associated LinkEnd }

// maxLinkDefinitions bounds the relations of an organisation, as the contract does.
const maxLinkDefinitions = 200

var linkName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,99}$`)

func (d LinkDefinition) check() error {
	for field, end := range map[string]LinkEnd{"primary": d.Primary, "associated": d.Associated} {
		switch {
		case !linkName.MatchString(end.Name):
			return linkError(field+".name", "a name is a letter and letters, digits and _, at most 100")
		case end.Title == "" || len(end.Title) > 255:
			return linkError(field+".title", "a title of at most 255 bytes is required")
		case len(end.Description) > 1024:
			return linkError(field+".description", "a description has at most 1024 bytes")
		}
	}
	if schemas.Fold(d.Primary.Name) == schemas.Fold(d.Associated.Name) {
		return linkError("associated.name", "the two sides need different names")
	}
	return nil
}

func linkError(path, reason string) error {
	return &schemas.Error{ScimType: schemas.InvalidValue, Path: path, Reason: reason}
}

const linkColumns = `primary_name, primary_title, primary_description, associated_name, associated_title, associated_description`

func scanLink(row scanner) (l LinkDefinition, err error) {
	err = row.Scan(&l.Primary.Name, &l.Primary.Title, &l.Primary.Description, &l.Associated.Name, &l.Associated.Title, &l.Associated.Description)
	return l, err
}

// CreateLinkDefinition adds a relation. A name that another relation has is a *Conflict.
func (d *Directory) CreateLinkDefinition(ctx context.Context, c Change, l LinkDefinition) error {
	if err := l.check(); err != nil {
		return err
	}
	return d.DB.Write(ctx, func(tx *sqldb.Tx) error {
		others, err := linkDefinitionsTx(tx)
		if err != nil {
			return err
		}
		if len(others) >= maxLinkDefinitions {
			return linkError("", fmt.Sprintf("there are %d relations already", maxLinkDefinitions))
		}
		if err := claimUnique(tx, typeLink, 0, nil, l.entries()); err != nil {
			return err
		}
		_, err = tx.Exec(`INSERT INTO link_definitions (`+linkColumns+`, created) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			l.Primary.Name, l.Primary.Title, l.Primary.Description, l.Associated.Name, l.Associated.Title, l.Associated.Description, d.now().UnixMicro())
		if err != nil {
			return fmt.Errorf("store linked object definition: %w", err)
		}
		_, err = d.audit(tx, c, events.Event{Type: "linked_object.definition.create", Targets: l.target()})
		return err
	})
}

// typeLink stands for relations where types of resources are named.
const typeLink = "LinkedObject"

// entries are the names of both sides: no other relation may have either.
func (d LinkDefinition) entries() []schemas.Entry {
	return []schemas.Entry{{Path: "name", Value: schemas.Fold(d.Primary.Name)}, {Path: "name", Value: schemas.Fold(d.Associated.Name)}}
}

func (d LinkDefinition) target() []events.Target {
	return []events.Target{{ID: d.Primary.Name, Type: typeLink, Name: d.Primary.Title}}
}

func (d LinkDefinition) names(name string) bool {
	name = schemas.Fold(name)
	return schemas.Fold(d.Primary.Name) == name || schemas.Fold(d.Associated.Name) == name
}

func linkDefinitionsTx(tx *sqldb.Tx) (all []LinkDefinition, err error) {
	rows, err := tx.Query(`SELECT ` + linkColumns + ` FROM link_definitions ORDER BY created, primary_name`)
	if err != nil {
		return nil, fmt.Errorf("read linked object definitions: %w", err)
	}
	return scanLinks(rows)
}

// LinkDefinitions returns all relations, oldest first.
func (d *Directory) LinkDefinitions(ctx context.Context) ([]LinkDefinition, error) {
	rows, err := d.DB.Query(ctx, `SELECT `+linkColumns+` FROM link_definitions ORDER BY created, primary_name`)
	if err != nil {
		return nil, fmt.Errorf("read linked object definitions: %w", err)
	}
	return scanLinks(rows)
}

// LinkDefinition returns the relation with a side of this name, in any case, or
// ErrNotFound.
func (d *Directory) LinkDefinition(ctx context.Context, name string) (LinkDefinition, error) {
	all, err := d.LinkDefinitions(ctx)
	if err != nil {
		return LinkDefinition{}, err
	}
	return linkNamed(all, name)
}

func linkNamed(all []LinkDefinition, name string) (LinkDefinition, error) {
	for _, l := range all {
		if l.names(name) {
			return l, nil
		}
	}
	return LinkDefinition{}, ErrNotFound
}

// DeleteLinkDefinition removes a relation, named by either side, and every link of it.
func (d *Directory) DeleteLinkDefinition(ctx context.Context, c Change, name string) error {
	return d.DB.Write(ctx, func(tx *sqldb.Tx) error {
		all, err := linkDefinitionsTx(tx)
		if err != nil {
			return err
		}
		l, err := linkNamed(all, name)
		if err != nil {
			return err
		}
		if err := lockLink(tx, l); err != nil {
			return err
		}
		if err := claimUnique(tx, typeLink, 0, l.entries(), nil); err != nil {
			return err
		}
		for _, statement := range []string{`DELETE FROM links WHERE definition = $1`, `DELETE FROM link_definitions WHERE primary_name = $1`} {
			if _, err := tx.Exec(statement, l.Primary.Name); err != nil {
				return fmt.Errorf("delete linked object definition: %w", err)
			}
		}
		_, err = d.audit(tx, c, events.Event{Type: "linked_object.definition.delete", Targets: l.target()})
		return err
	})
}
