package feed

import (
	"fmt"
	"time"

	"github.com/provost-id/provost/internal/sqldb"
)

const (
	// maxLetters bounds the dead letters that a stream keeps: the newest.
	maxLetters = 1000
	// maxWords bounds what is kept of a receiver's own words.
	maxWords = 1000
)

// refusal is a receiver's error (RFC 8935, section 2.3; RFC 8936, section 2.3).
type refusal struct {
	Err         string `json:"err"`
	Description string `json:"description"`
}

func clip(s string) string {
	clipped := []rune(s)
	if len(clipped) > maxWords {
		clipped = clipped[:maxWords]
	}
	for i, r := range clipped {
		if r < ' ' || r == 0x7f || r == 0xfffd {
			clipped[i] = ' ' // NUL is no text for PostgreSQL
		}
	}
	return string(clipped)
}

// buryTx makes a SET a dead letter.
func buryTx(tx *sqldb.Tx, streamID string, seq int64, event string, why refusal, now time.Time) error {
	_, err := tx.Exec(`INSERT INTO event_stream_letters (stream_id, seq, event, err, description, time) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (stream_id, seq) DO NOTHING`, streamID, seq, event, clip(why.Err), clip(why.Description), micros(now))
	if err != nil {
		return fmt.Errorf("bury SET: %w", err)
	}
	_, err = tx.Exec(`DELETE FROM event_stream_letters WHERE stream_id = $1 AND seq <=
		(SELECT l.seq FROM event_stream_letters l WHERE l.stream_id = $1 ORDER BY l.seq DESC LIMIT 1 OFFSET $2)`, streamID, maxLetters)
	if err != nil {
		return fmt.Errorf("bound dead letters: %w", err)
	}
	return nil
}
