package feed

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/sqldb"
)

// Sweep stops the streams that are too far behind and rotates the keys. Housekeeping
// calls it; several nodes may do so at once.
func (s *Service) Sweep(ctx context.Context) error {
	streams, err := s.Streams(ctx)
	if err != nil {
		return err
	}
	for _, st := range streams {
		behind, err := s.behind(ctx, st)
		if err != nil {
			return err
		}
		if st.Status == Expired || !behind {
			continue
		}
		if err := s.expire(ctx, st); err != nil {
			return err
		}
	}
	return s.sweepKeys(ctx)
}

// behind says whether the oldest change that a stream has not told is older than events
// are promised to be kept, or is not kept any more.
func (s *Service) behind(ctx context.Context, st *Stream) (bool, error) {
	from := st.Position
	err := s.db().QueryRow(ctx, `SELECT seq - 1 FROM event_stream_outstanding WHERE stream_id = $1 ORDER BY seq LIMIT 1`, st.ID).Scan(&from)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return false, fmt.Errorf("read outstanding SETs: %w", err)
	}
	first, err := s.log().First(ctx)
	if err != nil {
		return false, err
	}
	if first > from+1 {
		return true, nil
	}
	var at int64
	err = s.db().QueryRow(ctx, `SELECT time FROM events WHERE seq > $1 AND resource IS NOT NULL ORDER BY seq LIMIT 1`, from).Scan(&at)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read oldest change: %w", err)
	}
	return s.Now().Sub(fromMicros(at)) > Retention, nil
}

func (s *Service) expire(ctx context.Context, st *Stream) error {
	return s.db().Write(ctx, func(tx *sqldb.Tx) error {
		res, err := tx.Exec(`UPDATE event_streams SET status = 'EXPIRED', error = $2, error_time = $3
			WHERE id = $1 AND status <> 'EXPIRED' AND position = $4`,
			st.ID, "the receiver was behind for more than 30 days: it must read everything again", micros(s.Now()), st.Position)
		if err != nil {
			return fmt.Errorf("expire stream: %w", err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return err
		}
		target := events.Target{ID: st.ID, Type: "EventStream", Name: st.Label}
		return s.audit(tx, events.System, "", "scim.stream.expire", target, nil)
	})
}
