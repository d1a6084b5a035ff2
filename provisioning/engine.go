package provisioning

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/internal/id"
	"github.com/provost-id/provost/internal/sqldb"
)

// A Factory makes the connector of one kind of app. It fails with an ErrConfig that
// names the setting, and does not talk to the target.
type Factory func(ctx context.Context, c Config) (Connector, error)

// Engine imports from the apps and exports to them. Its exported fields are set before
// first use; its methods may be called from any goroutine, and several engines may work
// on one database.
type Engine struct {
	Dir        *directory.Directory
	Connectors map[string]Factory // by App.Name
	Log        *slog.Logger
	Now        func() time.Time
	Safeguards Safeguards
	Retry      Retry
	// LeaseTTL is how long a lane or run stays with a node that has stopped: another
	// takes over within that time and one poll. 0 means 12 seconds.
	LeaseTTL time.Duration
	// CallTimeout bounds one call of a connector. 0 means 60 seconds.
	CallTimeout time.Duration
	// Enqueue asks somebody to call WorkImport, in the transaction that makes or
	// resumes a run. Nil makes Run do the work itself.
	Enqueue func(tx *sqldb.Tx, runID string) error

	owner   string
	wake    chan struct{}
	targets targetCache
	mu      sync.Mutex // guards busy and halt
	busy    map[string]time.Time
	halt    chan struct{} // closed when Run ends; nil before it begins
	group   sync.WaitGroup
}

// NewEngine returns an engine with the default safeguards and retries.
func NewEngine(dir *directory.Directory, connectors map[string]Factory, log *slog.Logger) *Engine {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Engine{
		Dir: dir, Connectors: connectors, Log: log, Now: time.Now,
		Safeguards: DefaultSafeguards, Retry: DefaultRetry,
		owner: "node-" + id.Secret(16), wake: make(chan struct{}, 1), busy: map[string]time.Time{},
	}
}

func (e *Engine) db() *sqldb.DB { return e.Dir.DB }

func (e *Engine) leaseTTL() time.Duration {
	if e.LeaseTTL > 0 {
		return e.LeaseTTL
	}
	return 12 * time.Second
}

func (e *Engine) callTimeout() time.Duration {
	if e.CallTimeout > 0 {
		return e.CallTimeout
	}
	return time.Minute
}

// pollEvery is the longest time that a due marker or an orphaned run goes unseen when
// no wake-up arrives.
const pollEvery = time.Second

// Run exports what is marked and resumes imports that have lost their runner, until ctx
// ends. It returns after everything it has started has ended. Imports that WorkImport
// carries out stop too, so that whoever runs next goes on with them.
func (e *Engine) Run(ctx context.Context) error {
	defer e.targets.close()
	defer e.group.Wait()
	defer e.halting()()
	e.group.Go(func() {
		err := e.db().Listen(ctx, directory.MarkerChannel, func(string) { e.Wake() })
		if err != nil && ctx.Err() == nil {
			e.Log.Warn("listen for markers ended", "error", err) // the poll goes on
		}
	})
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		if err := e.sweep(ctx); err != nil && ctx.Err() == nil {
			e.Log.Error("provisioning sweep failed", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-e.wake:
		}
	}
}

// halting makes the channel that ends what is under a lease, and returns what closes it.
func (e *Engine) halting() func() {
	halt := make(chan struct{})
	e.mu.Lock()
	defer e.mu.Unlock()
	e.halt = halt
	return func() { close(halt) }
}

func (e *Engine) halted() <-chan struct{} {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.halt
}

// Wake makes Run look at once.
func (e *Engine) Wake() {
	select {
	case e.wake <- struct{}{}:
	default: // a wake-up waits already
	}
}

func (e *Engine) sweep(ctx context.Context) error {
	return errors.Join(e.sweepLanes(ctx), e.sweepImports(ctx))
}

// start runs fn in a goroutine of its own unless one of this name runs already, or ran
// less than pause ago.
func (e *Engine) start(name string, pause time.Duration, fn func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if since, ok := e.busy[name]; ok && (since.IsZero() || time.Since(since) < pause) {
		return
	}
	e.busy[name] = time.Time{} // runs
	e.group.Go(func() {
		defer func() {
			e.mu.Lock()
			defer e.mu.Unlock()
			if pause == 0 {
				delete(e.busy, name)
			} else {
				e.busy[name] = time.Now()
			}
		}()
		fn()
	})
}

// system is the Change of what the engine does by itself for an app.
func system(app *directory.App) directory.Change {
	c := directory.Change{Source: directory.Source{Kind: directory.SourceImport, ID: app.ID}}
	c.Actor.ID, c.Actor.Type, c.Actor.Name = app.ID, "AppInstance", app.Label
	return c
}

// words are the target's own words in an error, for a person to read.
func words(err error) (status int, body, kind string) {
	var e *Error
	if !errors.As(err, &e) {
		return 0, Words(err.Error()), "internal"
	}
	body = e.Body
	if body == "" {
		body = e.Error()
	}
	return e.Status, Words(body), kindName(e.Kind)
}

func kindName(kind error) string {
	for name, k := range map[string]error{
		"transient": ErrTransient, "rate_limited": ErrRateLimited, "conflict": ErrConflict, "not_found": ErrNotFound,
		"invalid": ErrInvalid, "denied": ErrDenied, "unknown": ErrUnknown, "cursor_lost": ErrCursorLost,
		"truncated": ErrTruncated, "too_large": ErrTooLarge, "config": ErrConfig,
	} {
		if k == kind {
			return name
		}
	}
	return fmt.Sprint(kind)
}
