package main

import (
	"context"
	"net/http"
	"net/http/pprof"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	tokens "github.com/provost-id/provost/authserver/manage"
	users "github.com/provost-id/provost/directory/manage"
	"github.com/provost-id/provost/directory/scim"
	idps "github.com/provost-id/provost/federation/manage"
	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/httpapi"
	hooks "github.com/provost-id/provost/plugins/manage"
	apps "github.com/provost-id/provost/provisioning/manage"
)

// handler is the whole public surface.
func (p *program) handler() (http.Handler, error) {
	auth := httpapi.Authenticators{p.tokens, p.authserver}
	mux := http.NewServeMux()
	p.authserver.Routes(mux)
	p.signin.Register(mux)
	tokens.RegisterClients(mux, p.authserver, auth)
	p.registerAPI(httpapi.NewAPI(mux, httpapi.APIOptions{Auth: auth, Version: version}))
	mux.HandleFunc("GET /healthz", alive)
	mux.HandleFunc("GET /readyz", p.ready)
	people := (&scim.Server{Directory: p.directory, Auth: auth, NoteDialect: p.tokens.NoteDialect, Feed: p.feed}).Handler()
	return httpapi.Middleware(httpapi.Options{
		Log: p.log, TrustedProxies: p.cfg.trustedProxy, PublicURL: p.cfg.PublicURL,
	})(below(scim.Root, people, httpapi.Mux(mux))), nil
}

// below sends a path and all below it past the routes of everything else: they take a
// share of every request, and most requests are SCIM.
func below(base string, h, other http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if rest, ok := strings.CutPrefix(r.URL.Path, base); ok && (rest == "" || rest[0] == '/') {
			h.ServeHTTP(w, r)
			return
		}
		other.ServeHTTP(w, r)
	})
}

// registerAPI adds every operation of the management API.
func (p *program) registerAPI(api huma.API) {
	users.Register(api, users.Deps{Directory: p.directory, Tokens: p.tokens, Log: events.Log{DB: p.db}, Feed: p.feed})
	apps.Register(api, p.engine)
	tokens.Register(api, p.authserver)
	hooks.Register(api, p.hooks, p.dispatcher)
	idps.Register(api, p.federation)
}

func alive(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }

// readyTimeout bounds the question to the database.
const readyTimeout = 2 * time.Second

// ready answers 200 when the database does.
func (p *program) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
	defer cancel()
	var one int
	if err := p.db.QueryRow(ctx, `SELECT 1`).Scan(&one); err != nil {
		http.Error(w, "the database does not answer", http.StatusServiceUnavailable)
		return
	}
	w.WriteHeader(http.StatusOK)
}

// opsHandler serves metrics and profiles, on the listener of the operator alone.
func (p *program) opsHandler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.Handler())
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	return mux
}
