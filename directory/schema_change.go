package directory

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/schemas"
)

// Definitions returns all that the organisation has defined, as it is in force. The
// result may be changed.
func (d *Directory) Definitions() *schemas.Definitions { return d.schemaState().defs.Clone() }

// SchemaTimes are when a schema or resource type of the organisation was made and last
// changed; zero when it has none of the name.
func (d *Directory) SchemaTimes(name string) (created, modified time.Time) {
	stamps := d.schemaState().stamps
	for _, kind := range []string{defSchema, defType, defApp} {
		if s, ok := stamps[definitionKey{kind, name}]; ok {
			return s.created, s.modified
		}
	}
	return created, modified
}

// SchemaEdit is a change of the definitions.
type SchemaEdit struct {
	// Edit changes the definitions it is given. It may return errors of its own, and may
	// run twice.
	Edit func(*schemas.Definitions) error
	// KeepValues refuses to take an attribute or an extension away that has values.
	KeepValues bool
}

// ValuesError is a change that would take values away.
type ValuesError struct {
	Type string // resource type
	Path string // SCIM path of the attribute, or the URN of the extension
}

// Error names what has values.
func (e *ValuesError) Error() string {
	return fmt.Sprintf("%s: resources of the type %s have values, which would be deleted", e.Path, e.Type)
}

// ChangeSchema changes the definitions. What cannot be is a *schemas.DefinitionError, what
// has to wait for an earlier change a *SchemaBusyError.
//
// The new schema is in force when it returns, here, and on other nodes within a second.
// Resources that are there follow in the background: see SchemaOperation.
func (d *Directory) ChangeSchema(ctx context.Context, c Change, e SchemaEdit) error {
	err := d.DB.Write(ctx, func(tx *sqldb.Tx) error {
		was, err := d.lockSchemas(tx)
		if err != nil {
			return err
		}
		next := was.defs.Clone()
		if err := e.Edit(next); err != nil {
			return err
		}
		plan, err := d.planSchema(tx, was, next)
		if err != nil {
			return err
		}
		if e.KeepValues {
			if err := plan.checkValues(tx); err != nil {
				return err
			}
		}
		return d.changeSchemaTx(tx, c, was, next, plan)
	})
	if err != nil {
		return err
	}
	_, err = d.schema.Get(ctx)
	return err
}

// lockSchemas reads the definitions for a change. One change follows the other; those who
// write resources are not held up.
func (d *Directory) lockSchemas(tx *sqldb.Tx) (*schemaState, error) {
	s := &schemaState{}
	err := tx.QueryRow(`SELECT version FROM snapshot_versions WHERE name = $1`+tx.ForUpdate(), schemaSnapshot).Scan(&s.version)
	if err != nil {
		return nil, fmt.Errorf("lock schema: %w", err)
	}
	return s, s.read(tx.Query)
}

func (d *Directory) changeSchemaTx(tx *sqldb.Tx, c Change, was *schemaState, next *schemas.Definitions, plan *schemaPlan) error {
	before, err := definitionsOf(was.defs)
	if err != nil {
		return err
	}
	after, err := definitionsOf(next)
	if err != nil {
		return err
	}
	changes, err := storeDefinitions(tx, before, after, d.now())
	if err != nil || len(changes) == 0 {
		return err
	}
	if err := cancelOperations(tx, plan.cancelled, d.now()); err != nil {
		return err
	}
	if err := d.insertOperations(tx, plan.ops); err != nil {
		return err
	}
	for _, change := range changes {
		if err := d.auditSchema(tx, c, change, plan.ops); err != nil {
			return err
		}
	}
	return d.schema.Bump(tx)
}

// checkCompiles has the compiler look at definitions that seem to be in order.
func checkCompiles(defs *schemas.Definitions) error {
	if err := defs.Check(); err != nil {
		return err
	}
	_, err := (&schemaState{defs: defs}).compile(0)
	var known *schemas.DefinitionError
	if err == nil || errors.As(err, &known) {
		return err
	}
	return &schemas.DefinitionError{Reason: err.Error()}
}

// auditSchema writes the event of one definition that has changed.
func (d *Directory) auditSchema(tx *sqldb.Tx, c Change, change definitionChange, ops []*operation) error {
	ev := events.Event{Targets: []events.Target{{ID: change.key.id, Type: targetTypes[change.key.kind]}}}
	verb := "update"
	switch {
	case change.was == nil:
		verb, ev.After = "create", change.is.body
	case change.is == nil:
		verb, ev.Before = "delete", change.was.body
	default:
		ev.Before, ev.After = change.was.body, change.is.body
	}
	ev.Type = "directory." + eventObjects[change.key.kind] + "." + verb
	var ids []string
	for _, o := range ops {
		if o.Schema == change.key.id || o.Type == change.key.id {
			ids = append(ids, o.ID)
		}
	}
	if len(ids) > 0 {
		ev.Detail = map[string]any{"operations": ids}
	}
	_, err := d.audit(tx, c, ev)
	return err
}

// What the system log calls the kinds of definitions.
var (
	eventObjects = map[string]string{defSchema: "schema", defType: "resource_type", defBase: "user_profile", defApp: "app_user_profile"}
	targetTypes  = map[string]string{defSchema: "Schema", defType: "ResourceType", defBase: "ProfileAttribute", defApp: "AppInstance"}
)
