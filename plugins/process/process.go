package process

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/provost-id/provost/plugins"
)

// Options are what all processes share.
type Options struct {
	Log *slog.Logger // nil for nowhere
	Dir string       // where binaries are copied to and run from; empty for the system's temporary folder
}

// A process is started at most maxStarts times within startWindow, waited for at most
// startTimeout, and ended when it missed maxSilent deadlines in a row.
const (
	maxStarts    = 5
	startWindow  = time.Minute
	startTimeout = 10 * time.Second
	maxSilent    = 3
)

// Bounds of the arguments.
const (
	maxArgs    = 64
	maxArgSize = 4096
)

// ErrBudget is returned while a process that keeps ending is not started again.
var ErrBudget = errors.New("the process ended too often and is left alone for a while")

var errClosed = errors.New("the hook is closed")

// Transport makes the callers of the channel PLUGIN. Each is one process, started at
// its first call and ended by Close.
func Transport(o Options) plugins.Transport {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return func(h plugins.Hook) (plugins.Caller, error) {
		if err := check(h.Channel.Plugin); err != nil {
			return nil, err
		}
		o := o
		o.Log = o.Log.With(slog.String("hook_id", h.ID))
		return &Process{channel: h.Channel.Plugin, options: o, budget: budget{max: maxStarts, window: startWindow}}, nil
	}
}

// check returns the first fault of a channel as a *plugins.ConfigError.
func check(c plugins.PluginChannel) error {
	if !filepath.IsAbs(c.Path) || filepath.Clean(c.Path) != c.Path {
		return &plugins.ConfigError{Field: "channel.config.path", Reason: "it must be an absolute path without . and .."}
	}
	if sum, err := hex.DecodeString(c.SHA256); err != nil || len(sum) != 32 {
		return &plugins.ConfigError{Field: "channel.config.sha256", Reason: "it must be 64 hexadecimal digits"}
	}
	if len(c.Args) > maxArgs {
		return &plugins.ConfigError{Field: "channel.config.args", Reason: "there are more than 64"}
	}
	for _, a := range c.Args {
		if len(a) > maxArgSize {
			return &plugins.ConfigError{Field: "channel.config.args", Reason: "one is longer than 4096 bytes"}
		}
	}
	return nil
}

// Process is one hook's process.
type Process struct {
	channel plugins.PluginChannel
	options Options

	mu      sync.Mutex // guards the rest
	current *start     // nil when none was started, or when it was ended
	budget  budget
	silent  int // deadlines missed in a row
	closed  bool
	ending  sync.WaitGroup // starts and stops under way
}

var _ plugins.Caller = (*Process)(nil)

// start is one start of the process, under way until ready is closed.
type start struct {
	ready    chan struct{}
	kill     context.CancelFunc
	instance *instance // once ready, nil when err is set
	err      error
}

// Call implements plugins.Caller. It starts the process when it does not run.
func (p *Process) Call(ctx context.Context, payload []byte) ([]byte, error) {
	s, err := p.started()
	if err != nil {
		return nil, err
	}
	select {
	case <-s.ready:
	case <-ctx.Done():
		return nil, fmt.Errorf("the process is still starting: %w", ctx.Err())
	}
	if s.err != nil {
		p.end(s)
		return nil, s.err
	}
	answer, err := s.instance.call(ctx, payload)
	return answer, p.judge(s, err)
}

// started returns the start that serves calls now, after beginning it if need be.
func (p *Process) started() (*start, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, errClosed
	}
	if p.current != nil && p.current.gone() {
		p.drop(p.current)
	}
	if p.current != nil {
		return p.current, nil
	}
	if !p.budget.take(time.Now()) {
		return nil, ErrBudget
	}
	ctx, kill := context.WithCancel(context.Background()) // the process outlives the call that starts it
	s := &start{ready: make(chan struct{}), kill: kill}
	p.current, p.silent = s, 0
	p.ending.Go(func() {
		defer close(s.ready)
		s.instance, s.err = launch(ctx, p.channel, p.options)
	})
	return s, nil
}

// isReady reports whether the start has come to its end, good or bad.
func (s *start) isReady() bool {
	select {
	case <-s.ready:
		return true
	default:
		return false
	}
}

// gone reports whether the process has ended by itself.
func (s *start) gone() bool {
	return s.isReady() && s.instance != nil && s.instance.client.Exited()
}

// judge turns the error of a call into ours, and ends a process that is beyond use.
func (p *Process) judge(s *start, err error) error {
	switch code := status.Code(err); {
	case err == nil:
		p.mu.Lock()
		p.silent = 0
		p.mu.Unlock()
		return nil
	case code == codes.DeadlineExceeded:
		p.missed(s)
		return context.DeadlineExceeded
	case code == codes.Canceled:
		return context.Canceled
	case code == codes.Unavailable:
		p.end(s)
		return fmt.Errorf("%w: the process ended", plugins.ErrTemporary)
	default:
		return fmt.Errorf("plugin answered %s: %s", code, clip(status.Convert(err).Message()))
	}
}

// missed counts a deadline that passed without an answer.
func (p *Process) missed(s *start) {
	p.mu.Lock()
	p.silent++
	hung := p.current == s && p.silent >= maxSilent
	p.mu.Unlock()
	if hung {
		p.options.Log.Warn("hook process does not answer and is ended")
		p.end(s)
	}
}

// end stops a start's process; the next call begins another.
func (p *Process) end(s *start) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.current == s {
		p.drop(s)
	}
}

// drop forgets the current start and stops its process in the background. The caller
// holds p.mu.
func (p *Process) drop(s *start) {
	p.current = nil
	p.ending.Go(func() {
		defer s.kill()
		if !s.isReady() {
			s.kill() // nobody waits for the rest of the start
		}
		<-s.ready
		if s.instance != nil {
			s.instance.stop()
		}
	})
}

// Close ends the process and waits for its end.
func (p *Process) Close() error {
	p.mu.Lock()
	p.closed = true
	if p.current != nil {
		p.drop(p.current)
	}
	p.mu.Unlock()
	p.ending.Wait()
	return nil
}

// budget bounds how often something is done within a window.
type budget struct {
	max    int
	window time.Duration
	taken  []time.Time
}

// take reports whether it may be done now, and counts it.
func (b *budget) take(now time.Time) bool {
	for len(b.taken) > 0 && now.Sub(b.taken[0]) >= b.window {
		b.taken = b.taken[1:]
	}
	if len(b.taken) >= b.max {
		return false
	}
	b.taken = append(b.taken, now)
	return true
}
