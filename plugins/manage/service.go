// Package manage keeps the configured inline hooks: /api/v1/inlineHooks of the
// management API, their rows with sealed secrets, the look-up that the dispatcher
// calls by, and the hooks' part of the system log. It leaves calling them to plugins
// and its transports, and binding them to a flow to whoever owns the flow.
package manage

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"time"

	"github.com/provost-id/provost/internal/keyring"
	"github.com/provost-id/provost/internal/snapshot"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/plugins"
)

// What the store refuses. Faults in a configuration are *plugins.ConfigError.
var (
	ErrNotFound = errors.New("no such hook")
	ErrName     = errors.New("another hook has the name")
	ErrActive   = errors.New("only an inactive hook may be deleted")
	ErrInUse    = errors.New("a rule names the hook")
	ErrTooMany  = errors.New("there are as many hooks as there may be")
)

// Service keeps the hooks. DB, Keys and Transports are set before the first call.
type Service struct {
	DB         *sqldb.DB
	Keys       *keyring.Ring
	Transports map[string]plugins.Transport // by channel type: what they refuse is not saved
	AllowHTTP  []netip.Prefix               // addresses that http:// may reach, none by default
	Log        *slog.Logger
	Now        func() time.Time

	// InUse reports whether a flow names the hook: it is then not deleted. Nil for never.
	InUse func(ctx context.Context, id string) (bool, error)

	hooks *snapshot.Snapshot[map[string]plugins.Hook]
}

// New returns a service over the hooks of one organisation.
func New(db *sqldb.DB, keys *keyring.Ring, transports map[string]plugins.Transport) *Service {
	s := &Service{DB: db, Keys: keys, Transports: transports, Log: slog.New(slog.DiscardHandler), Now: time.Now}
	s.hooks = snapshot.New(db, "inline_hooks", s.load)
	return s
}

// Run watches for changes that other nodes make, until ctx is done.
func (s *Service) Run(ctx context.Context) error { return s.hooks.Run(ctx) }

// Lookup is the plugins.Lookup of the dispatcher.
func (s *Service) Lookup(ctx context.Context, id string) (plugins.Hook, error) {
	hooks, err := s.hooks.Get(ctx)
	if err != nil {
		return plugins.Hook{}, err
	}
	h, ok := hooks[id]
	if !ok {
		return plugins.Hook{}, plugins.ErrUnknownHook
	}
	return h, nil
}

// Exists reports whether there is a hook of the type, for whoever saves a rule that
// names one.
func (s *Service) Exists(ctx context.Context, id string, t plugins.Type) (bool, error) {
	h, err := s.Lookup(ctx, id)
	if errors.Is(err, plugins.ErrUnknownHook) {
		return false, nil
	}
	return err == nil && h.Type == t, err
}

// load reads all hooks with their secrets, for the dispatcher.
func (s *Service) load(ctx context.Context, r sqldb.Reader) (map[string]plugins.Hook, error) {
	rows, err := list(ctx, r, "")
	if err != nil {
		return nil, err
	}
	hooks := make(map[string]plugins.Hook, len(rows))
	for _, w := range rows {
		sec, err := s.unseal(w)
		if err != nil {
			return nil, fmt.Errorf("hook %s: %w", w.ID, err)
		}
		hooks[w.ID] = w.hook(sec)
	}
	return hooks, nil
}
