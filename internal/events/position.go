package events

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// ErrPosition is returned for a position from which the log cannot be followed without
// a gap: events after it are no longer kept, or the log is not the one that it was
// taken from, since the database was restored from a backup.
var ErrPosition = errors.New("the log cannot be followed from this position")

// markSize is how much of an event's hash a position keeps: enough that two histories
// do not agree by chance.
const markSize = 8

// Position is a place in the sequence: the number of an event, and the beginning of its
// hash, by which another history is told from this one.
type Position struct {
	Seq  int64
	Mark [markSize]byte
}

// Head is the position of the last event that Log shows. All events up to it are
// visible to whoever reads afterwards.
func (l Log) Head(ctx context.Context) (Position, error) {
	return l.position(ctx, `SELECT seq, hash FROM events WHERE seq IS NOT NULL ORDER BY seq DESC LIMIT 1`)
}

// Position is the position of the event with number seq, which the log holds.
func (l Log) Position(ctx context.Context, seq int64) (Position, error) {
	return l.position(ctx, `SELECT seq, hash FROM events WHERE seq = $1`, seq)
}

func (l Log) position(ctx context.Context, query string, args ...any) (p Position, err error) {
	var hash []byte
	err = l.DB.QueryRow(ctx, query, args...).Scan(&p.Seq, &hash)
	if errors.Is(err, sql.ErrNoRows) {
		return Position{}, nil
	}
	if err != nil {
		return Position{}, fmt.Errorf("read position: %w", err)
	}
	copy(p.Mark[:], hash)
	return p, nil
}

// CheckPosition returns ErrPosition unless everything after p is there.
func (l Log) CheckPosition(ctx context.Context, p Position) error {
	at, err := l.Position(ctx, p.Seq)
	if err != nil {
		return err
	}
	if at.Seq == p.Seq && p.Seq > 0 {
		if !bytes.Equal(at.Mark[:], p.Mark[:]) {
			return ErrPosition
		}
		return nil
	}
	first, err := l.First(ctx)
	if err != nil {
		return err
	}
	if first == p.Seq+1 || first == 0 && p.Seq == 0 {
		return nil
	}
	return ErrPosition
}

// First is the number of the oldest event that is kept, zero when there is none.
func (l Log) First(ctx context.Context) (seq int64, err error) {
	if err := l.DB.QueryRow(ctx, `SELECT COALESCE(MIN(seq), 0) FROM events`).Scan(&seq); err != nil {
		return 0, fmt.Errorf("read first event: %w", err)
	}
	return seq, nil
}
