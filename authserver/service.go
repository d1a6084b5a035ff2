package authserver

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/provost-id/provost/authserver/session"
	"github.com/provost-id/provost/internal/keyring"
	"github.com/provost-id/provost/internal/snapshot"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/plugins"
	"github.com/provost-id/provost/schemas/expr"
)

// Sessions says who is signed in at a browser; *session.Store implements it.
type Sessions interface {
	// FromRequest returns session.ErrNone when nobody is.
	FromRequest(r *http.Request) (session.Session, error)
	// SealRequest makes the request parameter of the sign-in page.
	SealRequest(session.Request) string
	// End ends a session, and by Service.EndSession what hangs on it; one that is gone
	// already is no error.
	End(ctx context.Context, sessionID string) error
}

// Options are what the service is made of. DB, Keys, Sessions, People and PublicURL
// are required.
type Options struct {
	DB          *sqldb.DB
	Keys        *keyring.Ring
	Sessions    Sessions
	People      People
	Assignments Assignments       // nil: only clients with implicit assignment admit people
	Apps        ClientApps        // nil: nobody can be assigned
	Hook        plugins.TokenHook // nil for none
	// HookExists says whether a token hook is configured; nil lets a rule name any.
	HookExists func(ctx context.Context, hookID string) (bool, error)
	// Profile declares the variable user of claim expressions; nil takes any attribute.
	Profile   func() expr.Object
	PublicURL string // scheme, host and port; the issuer of the org server
	Log       *slog.Logger
	Now       func() time.Time
}

// Service serves every authorization server of the organisation. Its methods may be
// called from any goroutine.
type Service struct {
	Options
	store   *store
	servers *snapshot.Snapshot[*servers]
	clients *snapshot.Snapshot[*clients]
	making  sync.Mutex // held while a signing key is made on first need
}

// New returns the service and makes the org and default servers when they are missing.
func New(ctx context.Context, o Options) (*Service, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.PublicURL = strings.TrimSuffix(o.PublicURL, "/")
	s := &Service{Options: o}
	s.store = &store{s: s}
	s.servers = snapshot.New(o.DB, "authserver", s.loadServers)
	s.clients = snapshot.New(o.DB, "oauth-clients", s.loadClients)
	if err := s.ensureServers(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// housekeepEvery is how often rows that no longer mean anything are dropped.
const housekeepEvery = time.Minute

// Run follows changes of other nodes and drops expired rows until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	done := make(chan error, 2)
	go func() { done <- s.servers.Run(ctx) }()
	go func() { done <- s.clients.Run(ctx) }()
	tick := time.NewTicker(housekeepEvery)
	defer tick.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-tick.C:
			if err := s.Sweep(ctx); err != nil && ctx.Err() == nil {
				s.Log.ErrorContext(ctx, "authserver housekeeping", slog.Any("error", err))
			}
		}
	}
	return errors.Join(<-done, <-done)
}

// now is the time of one decision, in the precision of the database.
func (s *Service) now() time.Time { return s.Now().UTC().Truncate(time.Microsecond) }
