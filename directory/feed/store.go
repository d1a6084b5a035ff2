package feed

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/id"
	"github.com/provost-id/provost/internal/sqldb"
)

const columns = `s.id, s.config, s.secret IS NOT NULL, s.status, s.created, s.updated, s.position, s.delivered, s.attempts,
	s.next_try, s.error, s.error_time,
	(SELECT count(*) FROM event_stream_outstanding o WHERE o.stream_id = s.id),
	(SELECT count(*) FROM event_stream_letters l WHERE l.stream_id = s.id)`

type scanner interface{ Scan(into ...any) error }

func scanStream(row scanner) (*Stream, error) {
	var st Stream
	var config []byte
	var created, updated, delivered, next, failed int64
	err := row.Scan(&st.ID, &config, &st.HasAuthorization, &st.Status, &created, &updated, &st.Position, &delivered, &st.Attempts,
		&next, &st.Error, &failed, &st.Waiting, &st.Letters)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("read stream: %w", err)
	}
	if err := json.Unmarshal(config, &st.Config); err != nil {
		return nil, fmt.Errorf("configuration of stream %s: %w", st.ID, err)
	}
	st.Created, st.Updated, st.Delivered = fromMicros(created), fromMicros(updated), fromMicros(delivered)
	st.NextTry, st.ErrorTime = fromMicros(next), fromMicros(failed)
	return &st, nil
}

// Stream returns a stream by ID, or ErrNotFound.
func (s *Service) Stream(ctx context.Context, streamID string) (*Stream, error) {
	return scanStream(s.db().QueryRow(ctx, `SELECT `+columns+` FROM event_streams s WHERE s.id = $1`, streamID))
}

// Streams returns all streams in the order of their making.
func (s *Service) Streams(ctx context.Context) ([]*Stream, error) {
	rows, err := s.db().Query(ctx, `SELECT `+columns+` FROM event_streams s ORDER BY s.id`)
	if err != nil {
		return nil, fmt.Errorf("read streams: %w", err)
	}
	defer func() { _ = rows.Close() }() // Err tells what matters
	var all []*Stream
	for rows.Next() {
		st, err := scanStream(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, st)
	}
	return all, rows.Err()
}

// Configured says whether there is any stream.
func (s *Service) Configured(ctx context.Context) (yes bool, err error) {
	err = s.db().QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM event_streams)`).Scan(&yes)
	return yes, err
}

// CreateStream makes a stream that tells what happens from now on. A description that
// cannot be is an *InputError.
func (s *Service) CreateStream(ctx context.Context, c Change, in Input) (*Stream, error) {
	if err := s.complete(&in); err != nil {
		return nil, err
	}
	// Who is told where the keys are finds one there.
	if _, err := s.activeKey(ctx, in.Algorithm); err != nil {
		return nil, err
	}
	head, err := s.log().Head(ctx)
	if err != nil {
		return nil, err
	}
	config, err := json.Marshal(in.Config)
	if err != nil {
		return nil, fmt.Errorf("encode stream: %w", err)
	}
	now := s.Now()
	streamID := id.NewAt(id.EventStream, now)
	var secret any
	if in.Authorization != nil && *in.Authorization != "" {
		secret = s.seal(streamID, *in.Authorization)
	}
	err = s.db().Write(ctx, func(tx *sqldb.Tx) error {
		var n int
		if err := tx.QueryRow(`SELECT count(*) FROM event_streams`).Scan(&n); err != nil {
			return fmt.Errorf("count streams: %w", err)
		}
		if n >= maxStreams {
			return ErrTooMany
		}
		_, err := tx.Exec(`INSERT INTO event_streams (id, config, secret, method, status, created, updated, position)
			VALUES ($1, $2, $3, $4, $5, $6, $6, $7)`, streamID, string(config), secret, in.Method, Enabled, micros(now), head.Seq)
		if err != nil {
			return fmt.Errorf("store stream: %w", err)
		}
		return s.auditStream(tx, c, "scim.stream.create", streamID, in.Config)
	})
	if err != nil {
		return nil, err
	}
	return s.Stream(ctx, streamID)
}

// UpdateStream replaces the description of a stream; it goes on where it stands.
func (s *Service) UpdateStream(ctx context.Context, c Change, streamID string, in Input) (*Stream, error) {
	old, err := s.Stream(ctx, streamID)
	if err != nil {
		return nil, err
	}
	if in.Method == "" {
		in.Method = old.Method
	}
	if err := s.complete(&in); err != nil {
		return nil, err
	}
	switch keeps := in.Authorization == nil && old.HasAuthorization; {
	case in.Method != old.Method:
		return nil, fault("delivery.method", "it cannot be changed")
	case keeps && !sameServer(old.Endpoint, in.Endpoint):
		return nil, fault("delivery.authorizationHeader", "it must be given again for another server")
	}
	config, err := json.Marshal(in.Config)
	if err != nil {
		return nil, fmt.Errorf("encode stream: %w", err)
	}
	var secret any
	if in.Authorization != nil && *in.Authorization != "" {
		secret = s.seal(streamID, *in.Authorization)
	}
	err = s.db().Write(ctx, func(tx *sqldb.Tx) error {
		// What failed may now succeed: it is tried at once.
		res, err := tx.Exec(`UPDATE event_streams SET config = $2, updated = $3, next_try = 0,
			secret = CASE WHEN $4 THEN secret ELSE $5 END WHERE id = $1`, streamID, string(config), micros(s.Now()), in.Authorization == nil, secret)
		if err := found(res, err); err != nil {
			return err
		}
		return s.auditStream(tx, c, "scim.stream.update", streamID, in.Config)
	})
	if err != nil {
		return nil, err
	}
	s.notify()
	return s.Stream(ctx, streamID)
}

// DeleteStream removes a stream and everything that it holds.
func (s *Service) DeleteStream(ctx context.Context, c Change, streamID string) error {
	return s.db().Write(ctx, func(tx *sqldb.Tx) error {
		for _, table := range []string{"event_stream_outstanding", "event_stream_letters"} {
			if _, err := tx.Exec(`DELETE FROM `+table+` WHERE stream_id = $1`, streamID); err != nil {
				return fmt.Errorf("delete from %s: %w", table, err)
			}
		}
		if err := found(tx.Exec(`DELETE FROM event_streams WHERE id = $1`, streamID)); err != nil {
			return err
		}
		return s.audit(tx, c.Actor, c.Request, "scim.stream.delete", events.Target{ID: streamID, Type: "EventStream"}, nil)
	})
}

// PauseStream keeps a stream where it stands.
func (s *Service) PauseStream(ctx context.Context, c Change, streamID string) (*Stream, error) {
	err := s.db().Write(ctx, func(tx *sqldb.Tx) error {
		if err := found(tx.Exec(`UPDATE event_streams SET status = CASE WHEN status = 'ENABLED' THEN 'PAUSED' ELSE status END
			WHERE id = $1`, streamID)); err != nil {
			return err
		}
		return s.audit(tx, c.Actor, c.Request, "scim.stream.pause", events.Target{ID: streamID, Type: "EventStream"}, nil)
	})
	if err != nil {
		return nil, err
	}
	return s.Stream(ctx, streamID)
}

// ResumeStream lets a paused stream go on from where it stands, and one that has expired
// from now: what it has missed is not told any more.
func (s *Service) ResumeStream(ctx context.Context, c Change, streamID string) (*Stream, error) {
	head, err := s.log().Head(ctx)
	if err != nil {
		return nil, err
	}
	err = s.db().Write(ctx, func(tx *sqldb.Tx) error {
		if _, err := tx.Exec(`DELETE FROM event_stream_outstanding WHERE stream_id IN
			(SELECT id FROM event_streams WHERE id = $1 AND status = 'EXPIRED')`, streamID); err != nil {
			return fmt.Errorf("resume stream: %w", err)
		}
		if err := found(tx.Exec(`UPDATE event_streams SET position = CASE WHEN status = 'EXPIRED' THEN $2 ELSE position END,
			status = 'ENABLED', next_try = 0, attempts = 0 WHERE id = $1`, streamID, head.Seq)); err != nil {
			return err
		}
		return s.audit(tx, c.Actor, c.Request, "scim.stream.resume", events.Target{ID: streamID, Type: "EventStream"}, nil)
	})
	if err != nil {
		return nil, err
	}
	s.notify()
	return s.Stream(ctx, streamID)
}

// found turns an update that met no row into ErrNotFound.
func found(res sql.Result, err error) error {
	if err != nil {
		return fmt.Errorf("write stream: %w", err)
	}
	n, err := res.RowsAffected()
	if err != nil {
		return fmt.Errorf("write stream: %w", err)
	}
	if n == 0 {
		return ErrNotFound
	}
	return nil
}

// auditStream tells of a stream without its secret, which is no part of the Config.
func (s *Service) auditStream(tx *sqldb.Tx, c Change, typ, streamID string, config Config) error {
	target := events.Target{ID: streamID, Type: "EventStream", Name: config.Label}
	return events.Append(tx, events.Event{
		Time: s.Now(), Type: typ, Actor: c.Actor, Request: c.Request, Targets: []events.Target{target}, After: events.Redact(config),
	})
}

const secretPurpose = "event-stream-authorization"

func (s *Service) seal(streamID, header string) []byte {
	return s.Dir.Keys.Seal(secretPurpose, streamID, []byte(header))
}

// authorization is the header that a push carries, empty for none.
func (s *Service) authorization(ctx context.Context, streamID string) (string, error) {
	var sealed []byte
	err := s.db().QueryRow(ctx, `SELECT secret FROM event_streams WHERE id = $1`, streamID).Scan(&sealed)
	if errors.Is(err, sql.ErrNoRows) || err == nil && sealed == nil {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read authorization of stream: %w", err)
	}
	header, err := s.Dir.Keys.Unseal(secretPurpose, streamID, sealed)
	return string(header), err
}

// Letters lists the SETs that a stream's receiver refused for good, the newest first.
func (s *Service) Letters(ctx context.Context, streamID string) ([]Letter, error) {
	if _, err := s.Stream(ctx, streamID); err != nil {
		return nil, err
	}
	rows, err := s.db().Query(ctx, `SELECT event, err, description, time FROM event_stream_letters
		WHERE stream_id = $1 ORDER BY seq DESC`, streamID)
	if err != nil {
		return nil, fmt.Errorf("read dead letters: %w", err)
	}
	defer func() { _ = rows.Close() }() // Err tells what matters
	all := []Letter{}
	for rows.Next() {
		var l Letter
		var at int64
		if err := rows.Scan(&l.Event, &l.Err, &l.Description, &at); err != nil {
			return nil, fmt.Errorf("read dead letters: %w", err)
		}
		l.JTI, l.Time = jti(l.Event, streamID), fromMicros(at)
		all = append(all, l)
	}
	return all, rows.Err()
}
