// Package snapshot keeps a compiled piece of configuration in memory and loads it
// again when its version row changes. It owns when to load; what is loaded, and what
// it means, belongs to the caller.
package snapshot

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/provost-id/provost/internal/sqldb"
)

// pollEvery is how long another process's change may go unseen when no notification
// arrives: other processes write SQLite too, and NOTIFY is only a hint.
const pollEvery = time.Second

// channel is the notification channel of every snapshot; the payload is its name.
const channel = "snapshot"

// Snapshot holds the value of type T that load made from the database.
type Snapshot[T any] struct {
	// Eager has Run load a changed value at once, for a value that is read by Peek. It is
	// set before first use.
	Eager bool

	db    *sqldb.DB
	name  string
	load  func(ctx context.Context, r sqldb.Reader) (T, error)
	stale atomic.Int64 // rises with each Bump of this node, after its commit
	value atomic.Pointer[loaded[T]]
	mu    sync.Mutex // one load at a time
}

type loaded[T any] struct {
	value   T
	version int64 // of the row
	stale   int64 // of this node when the load began
}

// New returns a snapshot that loads on first use. name is unique per database; load
// sees one consistent state of it.
func New[T any](db *sqldb.DB, name string, load func(ctx context.Context, r sqldb.Reader) (T, error)) *Snapshot[T] {
	return &Snapshot[T]{db: db, name: name, load: load}
}

// Get returns the value, loaded again first when a Bump of this node has made it
// stale. The value is shared: callers do not change it.
func (s *Snapshot[T]) Get(ctx context.Context) (T, error) {
	if v := s.value.Load(); v != nil && v.stale == s.stale.Load() {
		return v.value, nil
	}
	return s.reload(ctx)
}

// Peek returns the value in hand without looking at the database; ok is false before
// the first Get.
func (s *Snapshot[T]) Peek() (value T, ok bool) {
	if v := s.value.Load(); v != nil {
		return v.value, true
	}
	return value, false
}

// Reload loads the value again, whether anybody has said that it changed or not.
func (s *Snapshot[T]) Reload(ctx context.Context) (T, error) {
	s.stale.Add(1)
	return s.Get(ctx)
}

// Bump marks the value changed, in the transaction of the change: this node reads its
// own write once Write has returned, the others within a second.
func (s *Snapshot[T]) Bump(tx *sqldb.Tx) error {
	_, err := tx.Exec(`INSERT INTO snapshot_versions (name, version) VALUES ($1, 1)
		ON CONFLICT (name) DO UPDATE SET version = snapshot_versions.version + 1`, s.name)
	if err != nil {
		return fmt.Errorf("bump snapshot %s: %w", s.name, err)
	}
	tx.AfterCommit(func() { s.stale.Add(1) })
	return s.db.Notify(tx, channel, s.name)
}

// Run watches the version row until ctx ends, and returns nil. The value in hand
// serves on while the database cannot be reached.
func (s *Snapshot[T]) Run(ctx context.Context) error {
	wake := make(chan struct{}, 1)
	stop := s.listen(ctx, wake)
	defer stop()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-wake:
		case <-tick.C:
		}
		s.poll(ctx)
		if s.Eager {
			_, _ = s.Get(ctx) // what cannot be loaded is tried again at the next tick
		}
	}
}

// listen feeds wake when this snapshot is bumped anywhere; the function it returns
// ends that.
func (s *Snapshot[T]) listen(ctx context.Context, wake chan<- struct{}) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.db.Listen(ctx, channel, func(name string) { // nil at the end of ctx
			if name != s.name && name != "" {
				return
			}
			select {
			case wake <- struct{}{}:
			default: // one is waiting already
			}
		})
	}()
	return func() { cancel(); <-done }
}

// poll marks the value stale when the version row has moved on. The next Get loads,
// so that nobody pays for a value that nobody reads.
func (s *Snapshot[T]) poll(ctx context.Context) {
	v := s.value.Load()
	if v == nil {
		return
	}
	version, err := s.version(ctx, s.db)
	if err == nil && version != v.version && v.stale == s.stale.Load() {
		s.stale.Add(1)
	}
}

func (s *Snapshot[T]) reload(ctx context.Context) (T, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	stale := s.stale.Load()
	if v := s.value.Load(); v != nil && v.stale == stale {
		return v.value, nil
	}
	next := &loaded[T]{stale: stale}
	err := s.db.View(ctx, func(r sqldb.Reader) error {
		var err error
		if next.version, err = s.version(ctx, r); err != nil {
			return err
		}
		next.value, err = s.load(ctx, r)
		return err
	})
	if err != nil {
		var zero T
		return zero, fmt.Errorf("load snapshot %s: %w", s.name, err)
	}
	s.value.Store(next)
	return next.value, nil
}

func (s *Snapshot[T]) version(ctx context.Context, r sqldb.Reader) (int64, error) {
	var v int64
	err := r.QueryRow(ctx, `SELECT version FROM snapshot_versions WHERE name = $1`, s.name).Scan(&v)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return v, err
}
