package events

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"

	"github.com/provost-id/provost/internal/sqldb"
)

// ErrChain is returned by Verify when an event was changed, removed or put in
// between after it was stamped.
var ErrChain = errors.New("event log was tampered with")

// link is the place of an event in the chain: its number, and the SHA-256 over the
// hash of the event before and its own body.
type link struct {
	seq  int64
	hash []byte
}

// genesis is what the first event is chained to.
var genesis = link{hash: make([]byte, sha256.Size)}

func (l link) next(body []byte) link {
	h := sha256.New()
	h.Write(l.hash)
	h.Write(body)
	return link{seq: l.seq + 1, hash: h.Sum(nil)}
}

// chainHead is the link of the last stamped event.
func chainHead(tx *sqldb.Tx) (link, error) {
	var l link
	err := tx.QueryRow(`SELECT seq, hash FROM events WHERE seq IS NOT NULL ORDER BY seq DESC LIMIT 1`).Scan(&l.seq, &l.hash)
	if errors.Is(err, sql.ErrNoRows) {
		return genesis, nil
	}
	return l, err
}

// Verify walks the whole chain and returns ErrChain at the first event that does not
// fit, naming it. Events cut off at the end leave a chain that is whole: keep the
// last number and hash elsewhere to notice that.
func (l Log) Verify(ctx context.Context) (last int64, hash []byte, err error) {
	rows, err := l.DB.Query(ctx, `SELECT seq, body, hash FROM events WHERE seq IS NOT NULL ORDER BY seq`)
	if err != nil {
		return 0, nil, fmt.Errorf("read events: %w", err)
	}
	defer func() { _ = rows.Close() }() // its error is that of Err
	at := genesis
	for rows.Next() {
		var got link
		var body []byte
		if err := rows.Scan(&got.seq, &body, &got.hash); err != nil {
			return at.seq, at.hash, fmt.Errorf("read event: %w", err)
		}
		want := at.next(body)
		if got.seq != want.seq || !bytes.Equal(got.hash, want.hash) {
			return at.seq, at.hash, fmt.Errorf("event %d: %w", want.seq, ErrChain)
		}
		at = got
	}
	return at.seq, at.hash, rows.Err()
}
