package sqldb

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"
)

const (
	// maxBatch bounds how many callers share one durable commit.
	maxBatch = 256
	// closureBudget bounds one transaction closure: it does no network and no hashing.
	closureBudget = 10 * time.Second
)

// Errors of Write beside those of the closure and of the database.
var (
	ErrClosed = errors.New("database is closed")
	// ErrBudget ends a transaction that takes longer than any may: it is too large, or
	// the machine too busy.
	ErrBudget = errors.New("transaction took too long")
	errLost   = errors.New("transaction was lost")
	errNested = errors.New("Write inside the closure of a Write")
	errExited = errors.New("transaction closure ended its goroutine")
)

// write is one caller's closure on its way through the SQLite writer.
type write struct {
	ctx  context.Context // looked at before the closure starts, never inside it
	fn   func(*Tx) error
	tx   *Tx
	err  error
	done chan struct{}
}

// Write runs fn in a transaction and returns after it is durable, or with the error
// of fn after its changes are undone. fn may run more than once and changes nothing
// but the transaction; what must happen once, afterwards, goes to Tx.AfterCommit.
// A cancelled ctx stops a write that has not started and none that has. A panic in
// fn is returned as an error. Write with the context of a Tx is refused: it would
// wait for itself.
//
// On SQLite everything that waits is committed together (group commit), each caller
// under a savepoint of its own; nobody is answered before the COMMIT.
func (db *DB) Write(ctx context.Context, fn func(*Tx) error) error {
	if ctx.Value(insideWrite{}) != nil {
		return errNested
	}
	for try := 1; ; try++ {
		err := db.writeOnce(ctx, fn)
		again, ok := errors.AsType[*Again](err)
		if !ok || try == againTries {
			return err
		}
		if err := again.Prepare(ctx); err != nil {
			return err
		}
	}
}

func (db *DB) writeOnce(ctx context.Context, fn func(*Tx) error) error {
	if db.dialect == PostgreSQL {
		return db.writePostgres(ctx, fn)
	}
	w := &write{ctx: ctx, fn: fn, done: make(chan struct{})}
	if err := db.enqueue(ctx, w); err != nil {
		return err
	}
	<-w.done
	if w.err == nil {
		w.tx.committed()
	}
	return w.err
}

// insideWrite marks the context of a Tx.
type insideWrite struct{}

// inside is the context of a transaction: the caller's values, not its cancellation,
// because a context that expires in mid-statement makes SQLite roll back the whole
// transaction, which is that of other callers too.
func inside(ctx context.Context) context.Context {
	return context.WithValue(context.WithoutCancel(ctx), insideWrite{}, true)
}

func (db *DB) enqueue(ctx context.Context, w *write) error {
	db.closing.RLock()
	defer db.closing.RUnlock()
	if db.closed {
		return ErrClosed
	}
	select {
	case db.queue <- w:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (db *DB) runWriter() {
	var batch []*write
	ended := false
	defer func() {
		if ended {
			close(db.done)
			return
		}
		// A closure called runtime.Goexit, as t.FailNow does: this goroutine is lost,
		// the callers and the database are not.
		failAll(batch, errExited)
		answer(batch)
		go db.runWriter()
	}()
	for w := range db.queue {
		batch = db.drain([]*write{w})
		db.commitBatch(batch)
		answer(batch)
		db.writes.prepareWanted(db.writeDB)
	}
	ended = true
}

// drain takes everything that waits, without waiting for more.
func (db *DB) drain(batch []*write) []*write {
	for len(batch) < maxBatch {
		select {
		case w, open := <-db.queue:
			if !open {
				return batch
			}
			batch = append(batch, w)
		default:
			return batch
		}
	}
	return batch
}

func failAll(batch []*write, err error) {
	for _, w := range batch {
		w.err = err
	}
}

func answer(batch []*write) {
	for _, w := range batch {
		close(w.done)
	}
}

// call keeps a panic in one closure from taking the writer and every caller with it,
// and reports a failed statement that the closure ignored.
func call(fn func(*Tx) error, tx *Tx) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic in transaction: %v\n%s", p, debug.Stack())
		}
	}()
	if err := fn(tx); err != nil {
		return err
	}
	return tx.failed
}
