package directory

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"time"

	"github.com/provost-id/provost/internal/sqldb"
)

// A client that walks by startIndex asks next for the index after its last page. Where
// that page ended is remembered, so that the walk continues there: it loses nobody when
// resources before it are deleted, and costs no offset. It is remembered in the
// database, since the next page may be asked of another node, and forgotten after
// CursorTime. A walk is known by its client and query; two at once with the same are one.

// checkpoint is where the page that begins at an index begins.
type checkpoint struct {
	at      position
	expires time.Time
}

// maxCheckpoints is how many of a client are kept.
const maxCheckpoints = 1000

const checkpointPurpose = "list-checkpoint"

func (l *lister) checkpointKey() []byte { return l.d.Keys.Hash(checkpointPurpose, l.scope) }

// locateIndex finds where a start index is: where the walk is, or by counting.
func (l *lister) locateIndex(ctx context.Context) error {
	found, err := l.checkpoints(ctx, l.q.StartIndex, l.nextIndex(l.q.Count))
	if err != nil {
		return err
	}
	l.next = found[l.nextIndex(l.q.Count)]
	if c, ok := found[l.q.StartIndex]; ok {
		l.from = c.at
		return nil
	}
	return l.locateOffset(ctx, l.q.StartIndex-1)
}

// nextIndex is the index after a page of n.
func (l *lister) nextIndex(n int) int {
	start := max(l.q.StartIndex, 1)
	return start + min(n, math.MaxInt-start)
}

func (l *lister) checkpoints(ctx context.Context, starts ...int) (map[int]checkpoint, error) {
	args := []any{l.checkpointKey(), l.d.Now().UnixMicro()}
	for _, s := range starts {
		args = append(args, s)
	}
	rows, err := l.d.DB.Query(ctx, `SELECT start_index, position, expires FROM list_checkpoints
		WHERE scope = $1 AND expires > $2 AND start_index IN (`+list(3, len(starts))+`)`, args...)
	if err != nil {
		return nil, fmt.Errorf("read checkpoints: %w", err)
	}
	defer func() { _ = rows.Close() }() // Err tells what matters
	found := map[int]checkpoint{}
	for rows.Next() {
		var start int
		var plain []byte
		var expires int64
		if err := rows.Scan(&start, &plain, &expires); err != nil {
			return nil, fmt.Errorf("read checkpoints: %w", err)
		}
		at, err := readPosition(plain)
		if err == nil && l.has(at) {
			found[start] = checkpoint{at: at, expires: micros(expires)}
		}
	}
	return found, rows.Err()
}

// remember starts to store where the page of n entries ended, and says when it is
// stored. A first page that shows everything is no walk.
func (l *lister) remember(ctx context.Context, at position, n int, more bool) <-chan struct{} {
	stored := make(chan struct{})
	walks := !l.q.UseCursor && l.q.Client != "" && n > 0 && (more || l.q.StartIndex > 1)
	if !walks || l.remembers(ctx, at, n) {
		close(stored)
		return stored
	}
	go func() {
		defer close(stored)
		// The page is right without it, and a database that takes no writes loses nobody.
		if err := l.store(ctx, at, l.nextIndex(n)); err != nil {
			l.d.Log.WarnContext(ctx, "list checkpoint not stored", slog.Any("error", err))
		}
	}()
	return stored
}

// remembers says that the position is known already: first pages are asked for again
// and again.
func (l *lister) remembers(ctx context.Context, at position, n int) bool {
	c := l.next
	if l.q.StartIndex <= 1 {
		found, err := l.checkpoints(ctx, l.nextIndex(n))
		if err != nil {
			return false
		}
		c = found[l.nextIndex(n)]
	} else if n != l.q.Count {
		return false
	}
	return c.at == at && c.expires.After(l.d.Now().Add(CursorTime/2))
}

func (l *lister) store(ctx context.Context, at position, start int) error {
	key, plain, expires := l.checkpointKey(), at.append(nil), l.d.Now().Add(CursorTime).UnixMicro()
	return l.d.DB.Write(ctx, func(tx *sqldb.Tx) error {
		_, err := tx.Exec(`INSERT INTO list_checkpoints (scope, start_index, client, position, expires) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (scope, start_index) DO UPDATE SET position = excluded.position, expires = excluded.expires`,
			key, start, l.q.Client, plain, expires)
		return err
	})
}

// ForgetCheckpoints drops the checkpoints that have expired, and those of a client
// beyond its newest maxCheckpoints. Housekeeping calls it every minute.
func (d *Directory) ForgetCheckpoints(ctx context.Context) error {
	return d.forgetCheckpoints(ctx, maxCheckpoints)
}

func (d *Directory) forgetCheckpoints(ctx context.Context, keep int) error {
	return d.DB.Write(ctx, func(tx *sqldb.Tx) error {
		if _, err := tx.Exec(`DELETE FROM list_checkpoints WHERE expires <= $1`, d.Now().UnixMicro()); err != nil {
			return fmt.Errorf("drop old checkpoints: %w", err)
		}
		_, err := tx.Exec(`DELETE FROM list_checkpoints WHERE (scope, start_index) IN (
			SELECT scope, start_index FROM (
				SELECT scope, start_index, row_number() OVER (PARTITION BY client ORDER BY expires DESC) AS n FROM list_checkpoints
			) c WHERE n > $1)`, keep)
		if err != nil {
			return fmt.Errorf("drop checkpoints beyond the newest: %w", err)
		}
		return nil
	})
}
