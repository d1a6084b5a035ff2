package feed

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/id"
	"github.com/provost-id/provost/internal/lease"
)

// sweepPause is the least time between two looks for work: on a busy node there is
// always something new.
const sweepPause = 50 * time.Millisecond

// Run delivers streams until ctx ends, and returns after everything it has started has
// ended. Every node runs it.
func (s *Service) Run(ctx context.Context) error {
	defer s.group.Wait()
	defer s.end()
	s.group.Go(func() { s.runKeys(ctx) })
	s.group.Go(func() {
		err := s.db().Listen(ctx, events.Channel, func(string) { s.notify() })
		if err != nil && ctx.Err() == nil {
			s.Log.WarnContext(ctx, "listen for events ended", slog.Any("error", err)) // the poll goes on
		}
	})
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		woken, _ := s.woken()
		pushes, err := s.sweep(ctx)
		if err != nil && ctx.Err() == nil {
			s.Log.ErrorContext(ctx, "sweep of event streams failed", slog.Any("error", err))
		}
		if pushes == 0 {
			woken = nil // who has no pushes is woken by every change for nothing
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-woken:
			time.Sleep(sweepPause)
		}
	}
}

// sweep starts a drain for each stream with something to push, and returns how many
// streams are pushed.
func (s *Service) sweep(ctx context.Context) (pushes int, err error) {
	last, err := s.log().LastChange(ctx)
	if err != nil {
		return 0, err
	}
	rows, err := s.db().Query(ctx, `SELECT id, position, next_try FROM event_streams WHERE method = 'push' AND status = 'ENABLED' ORDER BY id`)
	if err != nil {
		return 0, fmt.Errorf("look for streams: %w", err)
	}
	defer func() { _ = rows.Close() }() // Err tells what matters
	now := micros(s.Now())
	for rows.Next() {
		var streamID string
		var position, next int64
		if err := rows.Scan(&streamID, &position, &next); err != nil {
			return pushes, fmt.Errorf("look for streams: %w", err)
		}
		pushes++
		if position < last && next <= now {
			s.start(ctx, streamID)
		}
	}
	return pushes, rows.Err()
}

// start drains a stream in a goroutine of its own, unless one does.
func (s *Service) start(ctx context.Context, streamID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, runs := s.busy[streamID]; runs {
		return
	}
	s.busy[streamID] = struct{}{}
	s.group.Go(func() {
		defer func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			delete(s.busy, streamID)
		}()
		err := s.leased(ctx, streamID, func(ctx context.Context, epoch int64) error {
			return (&drain{s: s, id: streamID, epoch: epoch}).run(ctx)
		})
		if err != nil && ctx.Err() == nil && !errors.Is(err, lease.ErrLost) && !errors.Is(err, ErrNotFound) {
			s.Log.ErrorContext(ctx, "drain of event stream failed", slog.String("stream", streamID), slog.Any("error", err))
		}
	})
}

// leased runs fn while this node holds the lease of a stream, and not at all when
// another does. The context of fn ends when the lease is lost.
func (s *Service) leased(ctx context.Context, streamID string, fn func(ctx context.Context, epoch int64) error) error {
	name, owner := leaseOf(streamID), s.owner+"/"+id.Secret(8)
	epoch, ok, err := lease.Acquire(ctx, s.db(), name, owner, s.LeaseTTL)
	if err != nil || !ok {
		return err
	}
	held, cancel := context.WithCancel(ctx)
	renewed := make(chan struct{})
	go func() {
		defer close(renewed)
		defer cancel()
		s.renew(held, name, owner, epoch)
	}()
	err = fn(held, epoch)
	cancel()
	<-renewed
	release, stop := context.WithTimeout(context.WithoutCancel(ctx), s.LeaseTTL)
	defer stop()
	return errors.Join(err, lease.Release(release, s.db(), name, owner, epoch))
}

// renew keeps a lease until ctx ends or the lease is lost.
func (s *Service) renew(ctx context.Context, name, owner string, epoch int64) {
	tick := time.NewTicker(s.LeaseTTL / 4)
	defer tick.Stop()
	until := time.Now().Add(s.LeaseTTL)
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		ok, err := lease.Renew(ctx, s.db(), name, owner, epoch, s.LeaseTTL)
		switch {
		case err == nil && ok:
			until = time.Now().Add(s.LeaseTTL)
		case err == nil || time.Now().After(until):
			return
		}
	}
}
