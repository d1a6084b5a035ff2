package scim

import (
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/provost-id/provost/directory"
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

// crowd is how many units from the first on are new users that need no other of them.
func (b *bulk) crowd(units []unit, most int) int {
	n := 0
	for n < min(len(units), most) && b.isNewcomer(units[n]) {
		n++
	}
	return n
}

func (b *bulk) isNewcomer(u unit) bool {
	op := b.ops[u[0]]
	return len(u) == 1 && b.createsUser(op) && b.lacking(op) == nil &&
		!slices.ContainsFunc(op.needs, func(n int) bool { return !b.ops[n].done })
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

// createUsers creates users as one batch and returns how many units are done: not all
// when the errors that the client accepts are used up before the end.
func (b *bulk) createUsers(units []unit) int {
	ops := make([]*bulkOperation, len(units))
	for i, u := range units {
		ops[i] = b.ops[u[0]]
		b.parse(ops[i])
	}
	for len(ops) > 0 {
		cut, err := b.tryCrowd(ops)
		switch {
		case err == nil && cut == len(ops):
			return len(ops)
		case err == nil:
			ops = ops[:cut]
		default: // of nobody among them: it may meet each alone, or none
			for i := range ops {
				if b.full() {
					return i
				}
				b.makeChunk(units[i : i+1])
			}
			return len(ops)
		}
	}
	return 0
}

// errCut undoes a batch of which some should not have been tried.
var errCut = errors.New("errors are used up")

// tryCrowd creates users, all of ops or nobody: cut is how many of them should have
// been tried.
func (b *bulk) tryCrowd(ops []*bulkOperation) (cut int, err error) {
	var batch []directory.UserToCreate
	for _, op := range ops {
		if op.broken == nil {
			batch = append(batch, directory.UserToCreate{Resource: op.content.res, Options: directory.CreateOptions{Origin: &directory.Origin{ID: op.newID}}})
		}
	}
	do, err := b.Directory.PrepareUsers(b.r.Context(), change(b.r), batch)
	if err != nil {
		return 0, err
	}
	err = b.Directory.DB.Write(b.r.Context(), func(tx *sqldb.Tx) error {
		results, err := do(tx)
		if err != nil {
			return err
		}
		if cut = b.take(ops, results); cut < len(ops) {
			return errCut
		}
		return nil
	})
	if err != nil {
		reset(ops)
	}
	if errors.Is(err, errCut) {
		err = nil
	}
	return cut, err
}

// take gives each operation its result, until the client accepts no more errors.
func (b *bulk) take(ops []*bulkOperation, results []directory.UserResult) int {
	reset(ops)
	for i, op := range ops {
		if b.full() {
			return i
		}
		if op.broken != nil {
			op.end(stored{}, op.broken)
			continue
		}
		op.end(userRow(results[0].User, results[0].Err))
		results = results[1:]
	}
	return len(ops)
}

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
	for _, op := range ops {
		b.prepare(op)
	}
	err := b.Directory.DB.Write(b.r.Context(), func(tx *sqldb.Tx) error {
		reset(ops)
		if err := b.lock(tx, ops); err != nil {
			return err
		}
		for _, u := range units {
			if b.full() {
				return nil
			}
			if err := b.make(tx, u); err != nil {
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

// prepare makes an operation ready for the transaction.
func (b *bulk) prepare(op *bulkOperation) {
	b.parse(op)
	if op.broken == nil && op.work == nil {
		op.work, op.broken = op.at.prepare(b.r.Context(), b.operation(op), op.content)
	}
}

// make makes one unit in a transaction. An error is one of the whole transaction.
func (b *bulk) make(tx *sqldb.Tx, u unit) error {
	op := b.ops[u[0]]
	if len(u) > 1 || slices.Contains(op.needs, u[0]) {
		return b.makeCircle(tx, u)
	}
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
