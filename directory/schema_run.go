package directory

import (
	"context"
	"fmt"
	"time"

	"github.com/provost-id/provost/internal/sqldb"
)

// schemaWork names the worker of schema operations.
const schemaWork = "schema_operations"

const (
	// schemaGrace is how long rows that a node may still ask for by the schema of before are
	// left as they are: a node hears of a change within a second, or cannot reach the
	// database at all.
	schemaGrace = 5 * time.Second
	// keepOperations is how long operations can be read when they are over.
	keepOperations = 90 * 24 * time.Hour
)

// RunSchemas follows the schema, and works off what its changes make of the resources,
// until ctx ends; it returns nil then. Every node runs it; one works at a time.
func (d *Directory) RunSchemas(ctx context.Context) error {
	following := make(chan struct{})
	go func() {
		defer close(following)
		_ = d.schema.Run(ctx) // nil at the end of ctx
	}()
	defer func() { <-following }()
	return d.schemaWorker().run(ctx)
}

func (d *Directory) schemaWorker() *worker { return d.newWorker(schemaWork, d.operations) }

// operations are those that can be moved on.
func (d *Directory) operations(ctx context.Context, w *worker) ([]job, error) {
	first, err := d.firstOperations(ctx)
	jobs := make([]job, len(first))
	for i, o := range first {
		jobs[i] = job{name: "operation " + o.ID, step: func(ctx context.Context) error { return d.stepSchema(ctx, w, o) }}
	}
	return jobs, err
}

// firstOperations are those under way that no earlier one of the same attribute precedes.
func (d *Directory) firstOperations(ctx context.Context) ([]*operation, error) {
	all, err := runningOperations(d.reader(ctx))
	if err != nil {
		return nil, err
	}
	var first []*operation
	for i, o := range all {
		free := true
		for _, earlier := range all[:i] {
			free = free && !(earlier.Type == o.Type && earlier.Schema == o.Schema &&
				(overlaps(earlier.Attribute, o.Attribute) || overlaps(o.Attribute, earlier.Attribute)))
		}
		if free {
			first = append(first, o)
		}
	}
	return first, nil
}

// stepSchema moves an operation on by one transaction.
func (d *Directory) stepSchema(ctx context.Context, w *worker, o *operation) error {
	if ready, err := d.schemaReady(ctx, o); err != nil || !ready {
		return err
	}
	b, err := d.nextSchemaBatch(ctx, o)
	if err != nil {
		return err
	}
	err = d.DB.Write(ctx, func(tx *sqldb.Tx) error {
		if err := w.holdTx(tx); err != nil {
			return err
		}
		// The number is drawn by the lease; what is settled is settled by the schema in force.
		version, err := schemaVersion(tx)
		if err != nil {
			return err
		}
		if version != d.Schemas().Version {
			return d.schemaChanged(version)
		}
		if err := lockOperation(tx, o); err != nil {
			return err
		}
		return d.settleSchemaBatch(tx, o, b)
	})
	if err != nil {
		return err
	}
	_, err = d.schema.Get(ctx)
	return err
}

// lockOperation makes sure that an operation is still where this step began.
func lockOperation(tx *sqldb.Tx, o *operation) error {
	same, err := ints(tx.Query(`SELECT 1 FROM schema_operations WHERE id = $1 AND status = 'RUNNING' AND phase = $2 AND after_rid = $3`+tx.ForUpdate(), o.ID, o.phase, o.after))
	if err != nil {
		return err
	}
	if len(same) == 0 {
		return errOvertaken
	}
	return nil
}

// schemaReady reports whether an operation may look at resources. It waits until every
// transaction has ended that wrote by the schema of before, and, where rows go that other
// nodes may still ask for, until they have heard of the change. It ends at the last
// resource that is there when it begins: those who come later follow the new schema.
func (d *Directory) schemaReady(ctx context.Context, o *operation) (bool, error) {
	if o.until >= 0 {
		return true, nil
	}
	patient := o.Kind == OpRemove || o.Kind == OpIndex && o.phase == 0
	if patient && d.Now().Sub(o.Created) < d.SchemaGrace {
		return false, errWaiting
	}
	over, err := d.horizon(ctx, o.horizon, func(number string) error { return d.setOperation(ctx, o, `horizon = `+number) })
	if err != nil || !over {
		return false, err
	}
	return false, d.setOperation(ctx, o, `until_rid = (SELECT COALESCE(MAX(rid), 0) FROM resources)`)
}

// setOperation writes down what an operation needs before its first batch.
func (d *Directory) setOperation(ctx context.Context, o *operation, set string) error {
	return d.DB.Write(ctx, func(tx *sqldb.Tx) error {
		if _, err := tx.Exec(`UPDATE schema_operations SET `+set+` WHERE id = $1 AND phase = $2 AND status = 'RUNNING'`, o.ID, o.phase); err != nil {
			return fmt.Errorf("prepare schema operation: %w", err)
		}
		return nil
	})
}
