package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/provost-id/provost/internal/lease"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/plugins/process"
)

// Limits of every connection. Requests with a body of many megabytes (file imports)
// set their own; a client that only drips is cut off.
const (
	readHeaderTimeout = 10 * time.Second
	readTimeout       = 60 * time.Second
	writeTimeout      = 120 * time.Second
	idleTimeout       = 120 * time.Second
	maxHeaderBytes    = 64 << 10
	shutdownTimeout   = 8 * time.Second
)

func serveCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "serve",
		Short: "Serve SCIM, the management API, tokens and the sign-in page",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := loadConfig(cmd)
			if err != nil {
				return err
			}
			return serve(cmd.Context(), cfg, cmd)
		},
	}
}

func serve(ctx context.Context, cfg *Config, cmd *cobra.Command) error {
	dir := dataDir(cfg.DataDir)
	if err := dir.prepare(); err != nil {
		return err
	}
	lock, err := lockDir(cfg.DataDir)
	if err != nil {
		return err
	}
	defer lock.unlock()
	public, ops, err := listen(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { _, _ = public.Close(), ops.Close() }() // closed by Shutdown already, unless it never came to serving
	ready := localURL(scheme(cfg), public.Addr())
	if cfg.PublicURL == "" {
		cfg.PublicURL = ready
	}
	collectLess()
	out := &logWriter{out: cmd.ErrOrStderr()}
	defer out.flush()
	log := newLog(out)
	p, err := open(ctx, cfg, log)
	if err != nil {
		return err
	}
	defer p.close()
	if err := p.takeOver(ctx); err != nil {
		return err
	}
	if err := ensureBootstrapToken(ctx, dir, p.tokens); err != nil {
		return err
	}
	handler, err := p.handler()
	if err != nil {
		return err
	}
	return runServers(ctx, p, server(handler, log), public, ops, func() {
		banner(ctx, cmd.OutOrStdout(), p, ready, localURL("http", ops.Addr()))
	})
}

// gcPercent lets the heap grow to four times what is live: a server whose live heap is
// small would otherwise collect dozens of times a second.
const gcPercent = 300

// memoryLimit is where collecting less ends: a request that brings 100,000 members holds
// tens of megabytes for a moment, and four times that is more than a server should take.
const memoryLimit = 160 << 20

// collectLess sets both, unless the operator has said something else.
func collectLess() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryLimit)
	}
}

// takeOver ends what a server that was killed has left behind. On SQLite the lock of
// the data directory proves that it is dead; on PostgreSQL another node may hold the
// leases, and they expire.
func (p *program) takeOver(ctx context.Context) error {
	if err := process.Clean(p.dir.hooks()); err != nil {
		return err
	}
	if p.db.Dialect() == sqldb.PostgreSQL {
		return nil
	}
	return lease.ReleaseAll(ctx, p.db)
}

func scheme(cfg *Config) string {
	if cfg.TLSCert != "" {
		return "https"
	}
	return "http"
}

// listen opens both ports before anything else is done, so that a port in use is the
// first thing an operator hears of.
func listen(ctx context.Context, cfg *Config) (public, ops net.Listener, err error) {
	if public, err = listenPublic(ctx, cfg); err != nil {
		return nil, nil, err
	}
	var lc net.ListenConfig
	if ops, err = lc.Listen(ctx, "tcp", cfg.OpsListen); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("ops listen: %w", err), public.Close())
	}
	return public, ops, nil
}

func listenPublic(ctx context.Context, cfg *Config) (net.Listener, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", cfg.Listen)
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	if cfg.TLSCert == "" {
		return l, nil
	}
	cert, err := tls.LoadX509KeyPair(cfg.TLSCert, cfg.TLSKey)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("TLS certificate: %w", err), l.Close())
	}
	return tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}), nil
}

func server(h http.Handler, logger *slog.Logger) *http.Server {
	return &http.Server{
		Handler: h, ReadHeaderTimeout: readHeaderTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout,
		IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes,
		ErrorLog: log.New(slogWriter{logger}, "", 0),
	}
}

// slogWriter puts what net/http logs (TLS handshakes that fail, say) into our log.
type slogWriter struct{ log *slog.Logger }

// Write implements io.Writer.
func (w slogWriter) Write(b []byte) (int, error) {
	w.log.Debug("http server", "detail", string(b))
	return len(b), nil
}

// runServers serves until ctx ends or a part fails, and then stops everything.
func runServers(ctx context.Context, p *program, main *http.Server, public, ops net.Listener, ready func()) error {
	g, ctx := errgroup.WithContext(ctx)
	opsServer := server(p.opsHandler(), p.log)
	serving := func(s *http.Server, l net.Listener) func() error {
		return func() error {
			if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
				return err
			}
			return nil
		}
	}
	g.Go(serving(main, public))
	g.Go(serving(opsServer, ops))
	g.Go(func() error { return p.run(ctx) })
	g.Go(func() error {
		<-ctx.Done()
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
		defer cancel()
		return errors.Join(main.Shutdown(stop), opsServer.Shutdown(stop))
	})
	ready()
	err := g.Wait()
	if errors.Is(err, context.DeadlineExceeded) {
		fmt.Fprintln(os.Stderr, "provost: some requests were cut off at shutdown")
		return nil
	}
	return err
}
