package directory

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/schemas"
)

// Kinds of rows of definitions.
const (
	defSchema = "schema" // a schemas.Schema, by its URN
	defType   = "type"   // a schemas.TypeDefinition, by its name
	defBase   = "base"   // a schemas.BaseChange, by "User.login"
	defApp    = "app"    // the attributes of the profile at an app, by its ID
)

// definition is a row of definitions. Its position is its place among those of its kind,
// as clients are shown them.
type definition struct {
	definitionKey
	position int
	body     []byte
	stamp
}

// loadSchemas loads and compiles the schema in force.
func (d *Directory) loadSchemas(ctx context.Context, r sqldb.Reader) (*schemaState, error) {
	s := &schemaState{}
	err := r.QueryRow(ctx, `SELECT version FROM snapshot_versions WHERE name = $1`, schemaSnapshot).Scan(&s.version)
	if err != nil {
		return nil, fmt.Errorf("read version of schema: %w", err)
	}
	query := func(query string, args ...any) (*sql.Rows, error) { return r.Query(ctx, query, args...) }
	if err := s.read(query); err != nil {
		return nil, err
	}
	s.compiled, err = s.compile(s.version)
	return s, err
}

// read reads the definitions, and what is under way.
func (s *schemaState) read(query reader) error {
	rows, err := scanAll(scanDefinition)(query(`SELECT kind, id, position, body, created, modified FROM schema_definitions ORDER BY kind, position, id`))
	if err != nil {
		return err
	}
	s.defs, s.stamps = &schemas.Definitions{Base: map[string]schemas.BaseChange{}, Apps: map[string][]schemas.Attribute{}}, map[definitionKey]stamp{}
	for _, row := range rows {
		s.stamps[row.definitionKey] = row.stamp
		if err := row.into(s.defs); err != nil {
			return fmt.Errorf("definition of %s %s: %w", row.kind, row.id, err)
		}
	}
	s.open, err = runningOperations(query)
	return err
}

func scanDefinition(row scanner) (*definition, error) {
	var r definition
	var created, modified int64
	if err := row.Scan(&r.kind, &r.id, &r.position, &r.body, &created, &modified); err != nil {
		return nil, fmt.Errorf("read definition: %w", err)
	}
	r.created, r.modified = micros(created), micros(modified)
	return &r, nil
}

// into decodes a row.
func (r *definition) into(defs *schemas.Definitions) error {
	switch r.kind {
	case defSchema:
		return appendDecoded(&defs.Schemas, r.body)
	case defType:
		return appendDecoded(&defs.Types, r.body)
	case defBase:
		var c schemas.BaseChange
		err := json.Unmarshal(r.body, &c)
		defs.Base[r.id] = c
		return err
	default:
		var as []schemas.Attribute
		err := json.Unmarshal(r.body, &as)
		defs.Apps[r.id] = as
		return err
	}
}

func appendDecoded[T any](to *[]T, body []byte) error {
	var v T
	err := json.Unmarshal(body, &v)
	*to = append(*to, v)
	return err
}

// definitionsOf are the rows of definitions, by key.
func definitionsOf(defs *schemas.Definitions) (map[definitionKey]*definition, error) {
	rows := map[definitionKey]*definition{}
	add := func(kind, id string, position int, v any) error {
		body, err := json.Marshal(v)
		if err != nil {
			return fmt.Errorf("encode definition: %w", err)
		}
		key := definitionKey{kind, id}
		rows[key] = &definition{definitionKey: key, position: position, body: body}
		return nil
	}
	for i, s := range defs.Schemas {
		if err := add(defSchema, s.ID, i, s); err != nil {
			return nil, err
		}
	}
	for i, t := range defs.Types {
		if err := add(defType, t.Name, i, t); err != nil {
			return nil, err
		}
	}
	for name, c := range defs.Base {
		if err := add(defBase, name, 0, c); err != nil {
			return nil, err
		}
	}
	for app, as := range defs.Apps {
		if err := add(defApp, app, 0, as); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// storeDefinitions writes what differs and returns it in a fixed order.
func storeDefinitions(tx *sqldb.Tx, was, is map[definitionKey]*definition, now time.Time) ([]definitionChange, error) {
	var changes []definitionChange
	for key, row := range is {
		if old := was[key]; old == nil || string(old.body) != string(row.body) || old.position != row.position {
			changes = append(changes, definitionChange{key: key, was: old, is: row})
		}
	}
	for key, row := range was {
		if is[key] == nil {
			changes = append(changes, definitionChange{key: key, was: row})
		}
	}
	slices.SortFunc(changes, func(a, b definitionChange) int { return a.key.compare(b.key) })
	for _, c := range changes {
		if err := c.store(tx, now); err != nil {
			return nil, err
		}
	}
	return changes, nil
}

// definitionChange is a row that is new, another, or gone.
type definitionChange struct {
	key     definitionKey
	was, is *definition
}

func (c definitionChange) store(tx *sqldb.Tx, now time.Time) error {
	var err error
	if c.is == nil {
		_, err = tx.Exec(`DELETE FROM schema_definitions WHERE kind = $1 AND id = $2`, c.key.kind, c.key.id)
	} else {
		_, err = tx.Exec(`INSERT INTO schema_definitions (kind, id, position, body, created, modified) VALUES ($1, $2, $3, $4, $5, $5)
			ON CONFLICT (kind, id) DO UPDATE SET position = excluded.position, body = excluded.body, modified = excluded.modified`,
			c.key.kind, c.key.id, c.is.position, string(c.is.body), now.UnixMicro())
	}
	if err != nil {
		return fmt.Errorf("store definition of %s: %w", c.key.id, err)
	}
	return nil
}
