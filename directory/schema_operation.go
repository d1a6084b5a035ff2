package directory

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/provost-id/provost/internal/id"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/schemas"
)

// Kinds of SchemaOperation.
const (
	OpIndex   = "INDEX"   // writes the index rows of an attribute anew
	OpUnique  = "UNIQUE"  // gives every value of an attribute to its resource alone
	OpRelease = "RELEASE" // gives unique values free
	OpCheck   = "CHECK"   // holds the values that are there against narrower rules
	OpRemove  = "REMOVE"  // takes the values of an attribute, or of an extension, away
	OpDrop    = "DROP"    // makes sure that a resource type that is gone left nothing
)

// Statuses of SchemaOperation.
const (
	OpRunning   = "RUNNING"
	OpSucceeded = "SUCCEEDED"
	OpFailed    = "FAILED"    // what it was for has been taken back
	OpCancelled = "CANCELLED" // by a later change
)

// SchemaOperation is what a change of the schema makes of the resources that are there.
type SchemaOperation struct {
	ID        string
	Kind      string
	Type      string // resource type
	Schema    string // URN; empty of OpDrop
	Attribute string // "badge", "address.street"; empty for all of the schema
	Status    string
	Reason    string // why it failed
	Done      int64  // resources that were looked at
	Total     int64  // resources to look at, when it began
	Created   time.Time
	Finished  time.Time // zero while it runs
}

// operation is one that is under way.
type operation struct {
	SchemaOperation
	path         string // in the index: "org:badge"; of an extension, its key
	former       string // JSON of the definition before the change
	phase        int
	horizon      int64 // see horizon
	after, until int64 // rows of resources; until is -1 before the first batch
}

const operationColumns = `o.id, o.kind, o.type, o.schema, o.attribute, o.status, o.reason, o.done, o.total, o.created, o.finished,
	o.path, o.former, o.phase, o.horizon, o.after_rid, o.until_rid`

func scanOperation(row scanner) (*operation, error) {
	var o operation
	var created, finished int64
	err := row.Scan(&o.ID, &o.Kind, &o.Type, &o.Schema, &o.Attribute, &o.Status, &o.Reason, &o.Done, &o.Total, &created, &finished,
		&o.path, &o.former, &o.phase, &o.horizon, &o.after, &o.until)
	if err != nil {
		return nil, fmt.Errorf("read schema operation: %w", err)
	}
	o.Created, o.Finished = micros(created), micros(finished)
	return &o, nil
}

// formerAttribute is the attribute as it was before the change; of an extension that is
// taken away, its schema as one complex attribute.
func (o *operation) formerAttribute() (a schemas.Attribute, err error) {
	if o.former == "" {
		return a, nil
	}
	if err := json.Unmarshal([]byte(o.former), &a); err != nil {
		return a, fmt.Errorf("former definition of %s: %w", o.ID, err)
	}
	return a, nil
}

// SchemaOperations lists at most limit operations, newest first, that are older than the
// one with the ID before; empty for all.
func (d *Directory) SchemaOperations(ctx context.Context, before string, limit int) ([]*SchemaOperation, error) {
	if before == "" {
		before = "~" // after every ID
	}
	all, err := scanAll(scanOperation)(d.DB.Query(ctx, `SELECT `+operationColumns+` FROM schema_operations o WHERE o.id < $1 ORDER BY o.id DESC LIMIT $2`, before, limit))
	if err != nil {
		return nil, err
	}
	return shownOperations(all), nil
}

// SchemaOperation returns an operation by ID, or ErrNotFound.
func (d *Directory) SchemaOperation(ctx context.Context, id string) (*SchemaOperation, error) {
	all, err := scanAll(scanOperation)(d.DB.Query(ctx, `SELECT `+operationColumns+` FROM schema_operations o WHERE o.id = $1`, id))
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, ErrNotFound
	}
	return &all[0].SchemaOperation, nil
}

// insertOperations writes operations in the order in which they shall be done.
func (d *Directory) insertOperations(tx *sqldb.Tx, ops []*operation) error {
	if len(ops) == 0 {
		return nil
	}
	now := d.now()
	for i, o := range ops {
		at := now.Add(time.Duration(i) * time.Microsecond)
		o.ID, o.Status, o.Created, o.until = id.NewAt(id.Task, now), OpRunning, at, -1
		var total int64
		if err := tx.QueryRow(`SELECT COALESCE(SUM(delta), 0) FROM totals WHERE type = $1`, o.Type).Scan(&total); err != nil {
			return fmt.Errorf("count %s: %w", o.Type, err)
		}
		_, err := tx.Exec(`INSERT INTO schema_operations (id, kind, type, schema, attribute, path, status, former, phase, total, created)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
			o.ID, o.Kind, o.Type, o.Schema, o.Attribute, o.path, o.Status, o.former, o.phase, total, at.UnixMicro())
		if err != nil {
			return fmt.Errorf("begin schema operation: %w", err)
		}
	}
	return d.DB.Notify(tx, schemaWork, "")
}

// RunningOperations are those under way, in the order in which they are done.
func (d *Directory) RunningOperations(ctx context.Context) ([]*SchemaOperation, error) {
	all, err := runningOperations(d.reader(ctx))
	return shownOperations(all), err
}

func runningOperations(query reader) ([]*operation, error) {
	return scanAll(scanOperation)(query(`SELECT ` + operationColumns + ` FROM schema_operations o WHERE o.status = 'RUNNING' ORDER BY o.created, o.id`))
}

func shownOperations(all []*operation) []*SchemaOperation {
	shown := make([]*SchemaOperation, len(all))
	for i, o := range all {
		shown[i] = &o.SchemaOperation
	}
	return shown
}
