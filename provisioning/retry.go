package provisioning

import (
	"errors"
	"math/rand/v2"
	"time"
)

// Retry says how a failed export is tried again.
type Retry struct {
	First    time.Duration // pause after the first failure; it doubles with each
	Most     time.Duration // longest pause
	Attempts int           // answers of the target before a person must look
	// Silent is how long a target that does not answer at all is waited for: an outage
	// is nobody's fault and makes no dead letters.
	Silent time.Duration
}

// DefaultRetry gives up after ten answers within about two minutes, and after a day
// without any.
var DefaultRetry = Retry{First: 500 * time.Millisecond, Most: 30 * time.Second, Attempts: 10, Silent: 24 * time.Hour}

// verdict is what becomes of a marker after a failure.
type verdict struct {
	failed bool          // a person must look
	after  time.Duration // pause before the next try
	pause  time.Duration // how long the whole app is left alone
}

// judge decides about a failure, the attempts so far included. since is how long the
// change has waited.
func (r Retry) judge(err error, attempts int, since time.Duration) verdict {
	v := verdict{after: r.backOff(attempts)}
	var e *Error
	errors.As(err, &e)
	switch {
	case errors.Is(err, ErrInvalid), errors.Is(err, ErrConfig), errors.Is(err, ErrTooLarge), errors.Is(err, errDisputed), errors.Is(err, errMapping):
		v.failed = true // no retry helps
	case e != nil && e.Status == 0 && (errors.Is(err, ErrTransient) || errors.Is(err, ErrUnknown)):
		v.failed = since > r.Silent
	default:
		v.failed = attempts >= r.Attempts
	}
	if e != nil && e.RetryAfter > 0 {
		v.after = max(v.after, e.RetryAfter)
		v.pause = e.RetryAfter
	}
	return v
}

// backOff doubles the pause with each attempt; a fifth of it is chance, so that what
// failed together does not come again together.
func (r Retry) backOff(attempts int) time.Duration {
	pause := r.First
	for i := 1; i < attempts && pause < r.Most; i++ {
		pause *= 2
	}
	pause = min(pause, r.Most)
	if pause <= 0 {
		return 0
	}
	return pause - pause/10 + rand.N(pause/5+1)
}

// errDisputed is an account at the app that belongs to somebody else here.
var errDisputed = errors.New("the account belongs to another user")

// errMapping is a mapping that could not be evaluated where its value is needed.
var errMapping = errors.New("the mapping could not be evaluated")
