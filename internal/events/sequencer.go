package events

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"time"

	"github.com/provost-id/provost/internal/lease"
	"github.com/provost-id/provost/internal/sqldb"
)

const (
	leaseName  = "events.sequencer"
	leaseTTL   = 10 * time.Second // a dead node's work is taken over within 15 s
	leaseRenew = 3 * time.Second
	pollEvery  = time.Second // beneath the wake-ups
	stampBatch = 500         // bounds one stamping transaction
)

// forwardPause is the least time between two notifications of a node that does not
// hold the lease: NOTIFY makes commits queue up, so writes do not send one each.
const forwardPause = 20 * time.Millisecond

// Sequencer numbers and chains the committed events on PostgreSQL. Every node runs
// one; the one that holds the lease works. A number drawn before commit would be
// skipped by whoever follows the sequence, since a slower transaction commits a
// lower one later.
//
// On SQLite the writer stamps events as it writes them, and Run only waits.
type Sequencer struct {
	DB  *sqldb.DB
	Log *slog.Logger

	owner   string
	epoch   int64 // zero when the lease is not ours
	renewed time.Time
}

// Run stamps events until ctx ends, and returns nil. An error of the database is
// logged and the work taken up again a second later.
func (s *Sequencer) Run(ctx context.Context) error {
	if s.DB.Dialect() == sqldb.SQLite {
		<-ctx.Done()
		return nil
	}
	if s.Log == nil {
		s.Log = slog.New(slog.DiscardHandler)
	}
	s.owner = rand.Text()
	defer s.release(context.WithoutCancel(ctx))
	wakes := make(chan string, 1)
	stop := s.listen(ctx, wakes)
	defer stop()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		payload := forwarded
		select {
		case <-ctx.Done():
			return nil
		case payload = <-wakes:
		case <-tick.C:
		}
		if err := s.work(ctx, payload != forwarded); err != nil && ctx.Err() == nil {
			s.Log.ErrorContext(ctx, "sequencer failed", slog.Any("error", err))
		}
	}
}

// forwarded is the payload of a notification that came from another node's Wake.
const forwarded = "forwarded"

// listen feeds wakes until ctx ends; the function it returns waits for that.
func (s *Sequencer) listen(ctx context.Context, wakes chan<- string) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.DB.Listen(ctx, unstamped, func(payload string) { // nil at the end of ctx
			select {
			case wakes <- payload:
			default: // one is waiting; it will see this event too
			}
		})
	}()
	return func() { cancel(); <-done }
}

// work stamps what is there when the lease is ours, and otherwise tells its holder.
func (s *Sequencer) work(ctx context.Context, local bool) error {
	if err := s.hold(ctx); err != nil {
		return err
	}
	if s.epoch == 0 {
		if local {
			return s.forward(ctx)
		}
		return nil
	}
	for {
		n, err := s.stamp(ctx)
		if err != nil {
			s.epoch = 0
			return err
		}
		if n < stampBatch {
			return nil
		}
	}
}

// hold acquires or renews the lease when it is time to.
func (s *Sequencer) hold(ctx context.Context) error {
	if s.epoch != 0 && time.Since(s.renewed) < leaseRenew {
		return nil
	}
	now := time.Now()
	epoch, ok, err := lease.Acquire(ctx, s.DB, leaseName, s.owner, leaseTTL)
	if err != nil || !ok {
		s.epoch = 0
		return err
	}
	s.epoch, s.renewed = epoch, now
	return nil
}

func (s *Sequencer) release(ctx context.Context) {
	if s.epoch == 0 {
		return
	}
	if err := lease.Release(ctx, s.DB, leaseName, s.owner, s.epoch); err != nil {
		s.Log.ErrorContext(ctx, "release sequencer lease", slog.Any("error", err))
	}
}

func (s *Sequencer) forward(ctx context.Context) error {
	err := s.DB.Write(ctx, func(tx *sqldb.Tx) error { return s.DB.Notify(tx, unstamped, forwarded) })
	select {
	case <-ctx.Done():
	case <-time.After(forwardPause):
	}
	return err
}

// stamp numbers one batch of committed events and returns how many there were.
func (s *Sequencer) stamp(ctx context.Context) (n int, err error) {
	var waiting bool
	err = s.DB.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM events WHERE seq IS NULL)`).Scan(&waiting)
	if err != nil || !waiting {
		return 0, err
	}
	err = s.DB.Write(ctx, func(tx *sqldb.Tx) error {
		if err := lease.Check(tx, leaseName, s.epoch); err != nil {
			return err
		}
		n, err = stampTx(tx)
		if err != nil || n == 0 {
			return err
		}
		return s.DB.Notify(tx, Channel, "")
	})
	if err != nil {
		return 0, fmt.Errorf("stamp events: %w", err)
	}
	return n, nil
}
