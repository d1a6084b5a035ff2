package directory

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/provost-id/provost/internal/id"
	"github.com/provost-id/provost/internal/lease"
	"github.com/provost-id/provost/internal/sqldb"
)

// SchemaChannel is the channel on which RunSchemas hears that an operation was begun.
const SchemaChannel = "schema_operations"

const (
	// schemaPoll is how long an operation may wait when no notification arrives.
	schemaPoll = 5 * time.Second
	// schemaLease is how long a node that fell silent keeps the others from its operations.
	schemaLease = 15 * time.Second
	schemaWork  = "schema_operations" // the name of the lease
	// schemaWait is how long an operation that is not ready waits before it looks again.
	schemaWait = 20 * time.Millisecond
	// schemaGrace is how long rows that a node may still ask for by the schema of before are
	// left as they are: a node hears of a change within a second, or cannot reach the
	// database at all.
	schemaGrace = 5 * time.Second
	// keepOperations is how long operations can be read when they are over.
	keepOperations = 90 * 24 * time.Hour
)

var (
	errNotReady  = errors.New("the operation has to wait")
	errMovedOn   = errors.New("the operation was moved on by somebody else, or cancelled")
	errOtherNode = errors.New("another node works on schema operations")
)

// RunSchemas follows the schema, and works off what its changes make of the resources,
// until ctx ends; it returns nil then. An operation moves in small transactions and goes
// on from its last one after a stop. Every node runs it; one works at a time.
func (d *Directory) RunSchemas(ctx context.Context) error {
	wake := make(chan struct{}, 1)
	done := make(chan struct{}, 2)
	go func() {
		defer func() { done <- struct{}{} }()
		_ = d.schema.Run(ctx) // nil at the end of ctx
	}()
	go func() {
		defer func() { done <- struct{}{} }()
		err := d.DB.Listen(ctx, SchemaChannel, func(string) {
			select {
			case wake <- struct{}{}:
			default: // one is waiting already
			}
		})
		if err != nil && ctx.Err() == nil {
			d.Log.Warn("listen for schema operations ended", slog.Any("error", err)) // the poll goes on
		}
	}()
	defer func() { <-done; <-done }()
	tick := time.NewTicker(schemaPoll)
	defer tick.Stop()
	node := &schemaNode{owner: id.New(id.Task)}
	defer func() { d.leaveSchemas(context.WithoutCancel(ctx), node) }()
	for {
		if err := d.workSchemas(ctx, node); err != nil && ctx.Err() == nil {
			d.Log.Error("work off schema operations", slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-wake:
		case <-tick.C:
		}
	}
}

// schemaNode is who works on operations, and the epoch of the lease that it had last; 0 for
// none.
type schemaNode struct {
	owner string
	epoch int64
}

// leaveSchemas gives the lease free for another node.
func (d *Directory) leaveSchemas(ctx context.Context, node *schemaNode) {
	if node.epoch == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, schemaLease) // it has expired then
	defer cancel()
	if err := lease.Release(ctx, d.DB, schemaWork, node.owner, node.epoch); err != nil {
		d.Log.Warn("give up schema operations", slog.Any("error", err))
	}
}

// workSchemas moves all operations on in turn until none is under way, or each that is
// has failed.
func (d *Directory) workSchemas(ctx context.Context, node *schemaNode) error {
	for {
		ops, err := d.firstOperations(ctx)
		if err != nil || len(ops) == 0 {
			return err
		}
		var failed []error
		waiting := 0
		for _, o := range ops {
			err := d.stepSchema(ctx, node, o)
			switch {
			case errors.Is(err, errOtherNode):
				return nil
			case errors.Is(err, errNotReady):
				waiting++
			case errors.Is(err, errMovedOn):
			case err != nil:
				failed = append(failed, fmt.Errorf("operation %s: %w", o.ID, err))
			}
		}
		if len(failed) == len(ops) || ctx.Err() != nil {
			return errors.Join(failed...)
		}
		if len(failed)+waiting == len(ops) {
			select {
			case <-ctx.Done():
			case <-time.After(schemaWait):
			}
		}
	}
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
func (d *Directory) stepSchema(ctx context.Context, node *schemaNode, o *operation) error {
	if ready, err := d.schemaReady(ctx, o); err != nil || !ready {
		return err
	}
	b, err := d.nextSchemaBatch(ctx, o)
	if err != nil {
		return err
	}
	var epoch int64
	err = d.DB.Write(ctx, func(tx *sqldb.Tx) (err error) {
		var ok bool
		if epoch, ok, err = lease.AcquireTx(tx, schemaWork, node.owner, schemaLease, time.Now()); err != nil || !ok {
			return cmp.Or(err, errOtherNode)
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
	node.epoch = epoch
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
		return errMovedOn
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
		return false, errNotReady
	}
	over, err := d.horizon(ctx, o.horizon, func(number string) error { return d.setOperation(ctx, o, `horizon = `+number) })
	if err != nil || !over {
		if errors.Is(err, errWaiting) {
			err = errNotReady
		}
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
