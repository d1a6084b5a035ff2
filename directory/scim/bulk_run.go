package scim

import (
	"fmt"
	"net/http"
	"slices"

	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/schemas"
)

// Operations are made in chunks, each one durable transaction: an operation succeeds or
// fails by itself, and what is reported done is on disk. Users that need nothing of
// their own chunk are created many at a time.
const (
	// maxChunk and maxChunkData bound a chunk: few enough that another writer hardly
	// waits, and that PostgreSQL keeps all savepoints in memory (64).
	maxChunk     = 50
	maxChunkData = 256 << 10
	// maxCrowd bounds the users of one batch, and from minCrowd on a batch is faster.
	maxCrowd = 250
	minCrowd = 8
)

// run makes the operations until all are done, or as many have failed as the client
// accepts, or the client is gone.
func (b *bulk) run() {
	units := b.units()
	for len(units) > 0 && !b.full() && b.r.Context().Err() == nil {
		n := b.crowd(units, maxCrowd)
		if n >= minCrowd {
			n = b.createUsers(units[:n])
		} else {
			n = b.mixture(units)
			b.makeChunk(units[:n])
		}
		for _, u := range units[:n] {
			for _, i := range u {
				b.ops[i].forget()
			}
		}
		units = units[n:]
	}
}

// full says that the client accepts no more errors.
func (b *bulk) full() bool {
	if b.failOnErrors == 0 {
		return false
	}
	failed := 0
	for _, op := range b.ops {
		if op.err != nil {
			failed++
		}
	}
	return failed >= b.failOnErrors
}

// lacking is the error of an operation that needs one that has failed.
func (b *bulk) lacking(op *bulkOperation) error {
	for _, n := range op.needs {
		if need := b.ops[n]; need.err != nil {
			return unresolvable(fmt.Sprintf("%s%s: operation %d, which creates it, has failed", bulkIDPrefix, clip(need.bulkID), n+1))
		}
	}
	return nil
}

// mixture is how many units from the first on make one chunk.
func (b *bulk) mixture(units []unit) int {
	count, size := 0, 0
	for n, u := range units {
		for _, i := range u {
			b.parse(b.ops[i])
			count, size = count+1, size+len(b.ops[i].data)
		}
		switch {
		case n == 0:
		case count > maxChunk, size > maxChunkData, b.crowd(units[n:], minCrowd) == minCrowd, b.ops[u[0]].looksAtState():
			return n
		}
	}
	return len(units)
}

// parse reads the data of an operation, once.
func (b *bulk) parse(op *bulkOperation) {
	if op.broken == nil && op.content.method == "" {
		op.content, op.broken = op.at.parse(op.method, op.data, dialect(b.r))
	}
}

// looksAtState says that making the operation ready looks at the resource as it is
// stored: a password is checked beside the profile it is for. What comes before must be
// durable by then.
func (op *bulkOperation) looksAtState() bool {
	return op.broken == nil && op.method == http.MethodPatch && schemas.SetPassword(op.content.ops)
}

// forget lets go of what has been done with.
func (op *bulkOperation) forget() { op.data, op.content, op.work = nil, content{}, nil }

func reset(ops []*bulkOperation) {
	for _, op := range ops {
		op.outcome = outcome{}
	}
}

// end notes what became of the operation.
func (op *bulkOperation) end(row stored, err error) {
	op.outcome = outcome{done: true, row: row, err: err}
	if err == nil {
		op.status = op.content.status()
	}
}

// makeChunk makes units in one transaction. When that fails as a whole, each is tried
// in one of its own.
func (b *bulk) makeChunk(units []unit) {
	var ops []*bulkOperation
	for _, u := range units {
		for _, i := range u {
			ops = append(ops, b.ops[i])
		}
	}
	circles := make([]*circle, len(units))
	for n, u := range units {
		if b.isCircle(u) {
			circles[n] = b.prepareCircle(u)
		} else {
			b.prepare(b.ops[u[0]])
		}
	}
	err := b.Directory.DB.Write(b.r.Context(), func(tx *sqldb.Tx) error {
		reset(ops)
		if err := b.lock(tx, ops); err != nil {
			return err
		}
		for n, u := range units {
			if b.full() {
				return nil
			}
			if err := b.make(tx, u, circles[n]); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		return
	}
	reset(ops)
	if len(units) == 1 {
		for _, op := range ops {
			op.end(stored{}, err)
		}
		return
	}
	for i := range units {
		if b.full() || b.r.Context().Err() != nil {
			return
		}
		b.makeChunk(units[i : i+1])
	}
}

// isCircle says that the operations of a unit need each other, or one needs itself.
func (b *bulk) isCircle(u unit) bool {
	return len(u) > 1 || slices.Contains(b.ops[u[0]].needs, u[0])
}

// prepare makes an operation ready for the transaction.
func (b *bulk) prepare(op *bulkOperation) {
	b.parse(op)
	if op.broken == nil && op.work == nil {
		op.work, op.broken = op.at.prepare(b.r.Context(), b.operation(op), op.content)
	}
}

// make makes one unit in a transaction. An error is one of the whole transaction.
func (b *bulk) make(tx *sqldb.Tx, u unit, c *circle) error {
	if c != nil {
		return b.makeCircle(tx, u, c)
	}
	op := b.ops[u[0]]
	if err := b.lacking(op); err != nil {
		op.end(stored{}, err)
		return nil
	}
	if op.broken != nil {
		op.end(stored{}, op.broken)
		return nil
	}
	var row stored
	err := tx.Try(func() (err error) {
		row, err = op.work(tx)
		return err
	})
	if err != nil && !isRefusal(err) {
		return err
	}
	op.end(row, err)
	return nil
}

// isRefusal says that an error is the answer to an operation, and none of the database.
func isRefusal(err error) bool {
	status, _, _ := describe(err)
	return status < http.StatusInternalServerError
}
