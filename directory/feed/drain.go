package feed

import (
	"context"
	"fmt"
	"time"

	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/lease"
	"github.com/provost-id/provost/internal/sqldb"
)

const (
	// pushBatch is how many SETs are pushed before it is written down: so many come twice
	// when the node dies in between.
	pushBatch = 10
	// idleTime is how long a drain without work keeps its lease.
	idleTime = 5 * time.Second
	// burst is how long a drain that is woken waits for more: many changes are made of
	// several events, and most may be of no interest to a stream.
	burst = 5 * time.Millisecond
)

// drain pushes one stream, one SET after another, while this node holds its lease.
type drain struct {
	s     *Service
	id    string
	epoch int64
}

func leaseOf(streamID string) string { return "event-stream/" + streamID }

// run pushes until there has been nothing to push for a while, or the receiver wants to
// be left alone for longer than that.
func (d *drain) run(ctx context.Context) error {
	idle := d.s.Now()
	for ctx.Err() == nil {
		woken, over := d.s.woken()
		st, err := d.s.Stream(ctx, d.id)
		if err != nil {
			return err
		}
		now := d.s.Now()
		if over || st.Status != Enabled || st.Method != Push || st.NextTry.After(now.Add(idleTime)) {
			return nil
		}
		pause := st.NextTry.Sub(now)
		if pause <= 0 {
			told, err := d.batch(ctx, st)
			switch {
			case err != nil:
				return err
			case told:
				idle = d.s.Now()
				continue
			case d.s.Now().Sub(idle) > idleTime:
				return nil
			}
			pause = pollEvery
		} else {
			woken = nil // by what happens here; the receiver is not ready
		}
		wait(ctx, woken, pause)
	}
	return nil
}

func wait(ctx context.Context, woken <-chan struct{}, longest time.Duration) {
	timer := time.NewTimer(longest)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-woken:
		// What comes in a burst is passed over in one go.
		select {
		case <-ctx.Done():
		case <-time.After(burst):
		}
	case <-timer.C:
	}
}

// batch pushes some SETs and writes down how far it came; told says that there were any.
func (d *drain) batch(ctx context.Context, st *Stream) (told bool, err error) {
	next, err := d.s.read(ctx, st, st.Position, pushBatch)
	if err != nil || next.upTo == st.Position {
		return false, err
	}
	authorization, err := d.s.authorization(ctx, d.id)
	if err != nil {
		return false, err
	}
	at := st.Position
	for i, x := range next.sets {
		failed, err := d.one(ctx, st, authorization, x)
		if err != nil || ctx.Err() != nil {
			return false, err
		}
		if failed != nil {
			return true, d.fail(context.WithoutCancel(ctx), st, at, i > 0, x, failed)
		}
		at = x.seq
	}
	return len(next.sets) > 0 || next.more, d.advance(context.WithoutCancel(ctx), next.upTo, len(next.sets) > 0)
}

func (d *drain) one(ctx context.Context, st *Stream, authorization string, x set) (*pushError, error) {
	if d.s.Client == nil {
		return &pushError{cause: errNoClient}, nil
	}
	signed, err := d.s.sign(ctx, st, x)
	if err != nil {
		return nil, err
	}
	return d.s.push(ctx, st, authorization, signed), nil
}

// write runs fn in a transaction if this node still holds the lease.
func (d *drain) write(ctx context.Context, fn func(tx *sqldb.Tx) error) error {
	return d.s.db().Write(ctx, func(tx *sqldb.Tx) error {
		if err := lease.Check(tx, leaseOf(d.id), d.epoch); err != nil {
			return err
		}
		return fn(tx)
	})
}

// advance writes down that everything up to a number has been taken.
func (d *drain) advance(ctx context.Context, upTo int64, delivered bool) error {
	return d.write(ctx, func(tx *sqldb.Tx) error { return d.advanceTx(tx, upTo, delivered) })
}

func (d *drain) advanceTx(tx *sqldb.Tx, upTo int64, delivered bool) error {
	_, err := tx.Exec(`UPDATE event_streams SET position = $2, attempts = 0, next_try = 0, error = '', error_time = 0,
		delivered = CASE WHEN $3 THEN $4 ELSE delivered END WHERE id = $1 AND position <= $2`, d.id, upTo, delivered, micros(d.s.Now()))
	if err != nil {
		return fmt.Errorf("move stream: %w", err)
	}
	return nil
}

// fail writes down a failure and when it is tried again; a SET that the receiver cannot
// read is given up after some tries.
func (d *drain) fail(ctx context.Context, st *Stream, at int64, delivered bool, x set, failed *pushError) error {
	attempts := st.Attempts + 1
	if delivered {
		attempts = 1
	}
	now := d.s.Now()
	bury := failed.unreadable() && attempts >= d.s.Retry.Refusals
	pause := d.s.Retry.pause(attempts, failed.after)
	d.s.Log.WarnContext(ctx, "push failed", "stream", d.id, "attempt", attempts, "error", clip(failed.Error()))
	return d.write(ctx, func(tx *sqldb.Tx) error {
		if bury {
			return d.buryTx(tx, x, failed, now)
		}
		if at > st.Position {
			if err := d.advanceTx(tx, at, true); err != nil {
				return err
			}
		}
		_, err := tx.Exec(`UPDATE event_streams SET attempts = $2, next_try = $3, error = $4, error_time = $5 WHERE id = $1`,
			d.id, attempts, micros(now.Add(pause)), clip(failed.Error()), micros(now))
		if err != nil {
			return fmt.Errorf("note failed push: %w", err)
		}
		return nil
	})
}

// buryTx gives a SET up; the stream goes on behind it.
func (d *drain) buryTx(tx *sqldb.Tx, x set, failed *pushError, now time.Time) error {
	if err := buryTx(tx, d.id, x.seq, x.claims.Txn, failed.refusal, now); err != nil {
		return err
	}
	if err := d.advanceTx(tx, x.seq, false); err != nil {
		return err
	}
	return events.Append(tx, events.Event{
		Time: now, Type: "scim.stream.dead_letter", Actor: events.System, Outcome: events.Failure, Reason: clip(failed.Error()),
		Targets: []events.Target{{ID: d.id, Type: "EventStream"}}, Detail: map[string]any{"event": x.claims.Txn},
	})
}
