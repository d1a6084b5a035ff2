package feed

import (
	"math/rand/v2"
	"time"
)

// Retry says how a push that failed is tried again.
type Retry struct {
	First time.Duration // pause after the first failure; it doubles with each
	Most  time.Duration // longest pause
	// Refusals is how often a receiver must refuse a SET as one that it cannot read
	// before it becomes a dead letter. Every other failure is of the receiver, not of
	// the SET, and is waited out.
	Refusals int
}

// DefaultRetry knocks every five minutes in the end.
var DefaultRetry = Retry{First: time.Second, Most: 5 * time.Minute, Refusals: 3}

// maxRetryAfter bounds what a receiver may ask for.
const maxRetryAfter = time.Hour

// pause is how long to wait after a number of failures. A fifth of it is chance, so that
// what failed together does not come again together.
func (r Retry) pause(attempts int, asked time.Duration) time.Duration {
	pause := r.First
	for i := 1; i < attempts && pause < r.Most; i++ {
		pause *= 2
	}
	pause = min(pause, r.Most)
	pause += rand.N(pause/5+1) - pause/10
	return max(pause, min(asked, maxRetryAfter))
}
