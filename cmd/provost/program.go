package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/provost-id/provost/authserver"
	"github.com/provost-id/provost/authserver/session"
	"github.com/provost-id/provost/authserver/signin"
	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/directory/feed"
	"github.com/provost-id/provost/directory/scim"
	"github.com/provost-id/provost/federation"
	"github.com/provost-id/provost/internal/apitoken"
	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/httpapi"
	"github.com/provost-id/provost/internal/jobs"
	"github.com/provost-id/provost/internal/keyring"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/plugins"
	hooks "github.com/provost-id/provost/plugins/manage"
	"github.com/provost-id/provost/provisioning"
)

// program is every part of a running provost, wired together.
type program struct {
	cfg *Config
	dir dataDir
	log *slog.Logger

	db         *sqldb.DB
	keys       *keyring.Ring
	tokens     *apitoken.Store
	jobs       *jobs.Jobs
	directory  *directory.Directory
	feed       *feed.Service
	engine     *provisioning.Engine
	hooks      *hooks.Service
	dispatcher *plugins.Dispatcher
	sessions   *session.Store
	authserver *authserver.Service
	federation *federation.Service
	signin     *signin.Server
}

// open opens the database of a data directory and wires the parts. Nothing runs yet.
func open(ctx context.Context, cfg *Config, log *slog.Logger) (p *program, err error) {
	p = &program{cfg: cfg, dir: dataDir(cfg.DataDir), log: log}
	made := cfg.missingKeyFile()
	if p.keys, err = keyring.Load(cfg.MasterKey); err != nil {
		return nil, err
	}
	p.db, err = sqldb.Open(ctx, sqldb.Config{Path: p.dir.database(), URL: cfg.DatabaseURL, Log: log})
	if err != nil {
		return nil, err
	}
	if err := p.wire(ctx); err != nil {
		p.close()
		return nil, keyFault(err, made)
	}
	return p, nil
}

// wire makes the parts in the order in which they need each other.
func (p *program) wire(ctx context.Context) (err error) {
	if err := p.keys.Check(ctx, p.db); err != nil {
		return err
	}
	p.tokens = &apitoken.Store{DB: p.db, Keys: p.keys, Now: time.Now}
	if p.jobs, err = jobs.New(p.db, p.log); err != nil {
		return err
	}
	if err := p.jobs.Migrate(ctx); err != nil {
		return fmt.Errorf("migrate jobs: %w", err)
	}
	if p.directory, err = directory.New(ctx, p.db, p.keys, p.log); err != nil {
		return err
	}
	p.tokens.Administrator, p.tokens.CheckLimits = p.directory.IsAdministrator, scim.CheckLimits(p.directory)
	p.wireFeed()
	p.wireProvisioning()
	p.wireHooks()
	if err := p.wireTokens(ctx); err != nil {
		return err
	}
	p.wireSignIn()
	for name, sweep := range map[string]func(context.Context) error{
		"sweep_sign_ins": p.signin.Sweep, "sweep_sessions": p.sessions.Sweep, "sweep_api_tokens": p.tokens.DeleteExpired,
		"sweep_event_streams": p.feed.Sweep,
		"fold_totals":         p.directory.FoldTotals, "forget_checkpoints": p.directory.ForgetCheckpoints,
	} {
		p.jobs.Periodic(name, housekeepEvery, sweep)
	}
	p.directory.OnSignOut = []func(*sqldb.Tx, string) error{
		p.sessions.EndUser, p.authserver.RevokeUser, p.tokens.RevokeUser,
	}
	return nil
}

// housekeepEvery is how often rows that no longer mean anything are dropped.
const housekeepEvery = time.Minute

// outboundTimeout bounds a whole request to somebody else's server.
const outboundTimeout = 30 * time.Second

func (p *program) outbound(timeout time.Duration) *http.Client {
	return httpapi.Outbound(httpapi.OutboundOptions{Allow: p.cfg.outboundAllow, Timeout: timeout})
}

func (p *program) secure() bool { return strings.HasPrefix(p.cfg.PublicURL, "https://") }

// run runs everything that works in the background until ctx ends.
func (p *program) run(ctx context.Context) error {
	sequencer := &events.Sequencer{DB: p.db, Log: p.log}
	g, ctx := errgroup.WithContext(ctx)
	for _, part := range []func(context.Context) error{
		sequencer.Run, p.tokens.Run, p.jobs.Run, p.engine.Run, p.hooks.Run, p.dispatcher.Run, p.authserver.Run,
		p.directory.RunRules, p.directory.RunRemovals, p.directory.RunAssignments, p.directory.RunSchemas, p.feed.Run,
	} {
		g.Go(func() error { return part(ctx) })
	}
	return g.Wait()
}

func (p *program) close() {
	if p.dispatcher != nil {
		p.dispatcher.Close()
	}
	if err := p.db.Close(); err != nil {
		p.log.Error("close database", slog.Any("error", err))
	}
}

// quietLog is the log of a command: errors only, for a person.
func quietLog(w io.Writer) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelError}))
}
