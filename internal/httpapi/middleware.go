package httpapi

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"
	"time"

	"github.com/provost-id/provost/internal/id"
)

// Options of the middleware that stands before every surface.
type Options struct {
	Log            *slog.Logger
	TrustedProxies []netip.Prefix // whose X-Forwarded-For is believed; none by default
	PublicURL      string         // without a trailing slash; the only source of links
}

// request is what the middleware knows of the request in hand, in one piece of memory.
type request struct {
	recorder
	id        string
	ip        netip.Addr
	log       *slog.Logger
	publicURL string
	// caller is set by Authenticate, before the handler that asks for it runs.
	caller Principal
	// ids is the value of the headers that carry id.
	ids [1]string
}

type requestKey struct{}

// outside stands in for the request where there is none.
var outside = &request{log: slog.New(slog.DiscardHandler)}

func requestOf(ctx context.Context) *request {
	if r, ok := ctx.Value(requestKey{}).(*request); ok {
		return r
	}
	return outside
}

// RequestID is the identifier of the request in hand, as in the X-Request-Id header
// of its response; empty outside a request.
func RequestID(ctx context.Context) string { return requestOf(ctx).id }

// ClientIP is the address of the client: of the connection, or what the trusted
// proxies in front say. It is invalid outside a request.
func ClientIP(ctx context.Context) netip.Addr { return requestOf(ctx).ip }

// PublicURL is the base of every link to this server, without a trailing slash. It
// never comes from a header of the request.
func PublicURL(ctx context.Context) string { return requestOf(ctx).publicURL }

// Middleware gives each request an identifier and its client address, writes the
// access log, and turns a panic into an internal error.
func Middleware(o Options) func(http.Handler) http.Handler {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.PublicURL = strings.TrimRight(o.PublicURL, "/")
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { o.serve(w, r, next) })
	}
}

func (o Options) serve(w http.ResponseWriter, r *http.Request, next http.Handler) {
	start := time.Now()
	info := &request{
		recorder: recorder{ResponseWriter: w}, id: id.NewAt(id.Request, start),
		ip: clientIP(r, o.TrustedProxies), log: o.Log, publicURL: o.PublicURL,
	}
	r = r.WithContext(context.WithValue(r.Context(), requestKey{}, info))
	info.ids[0] = info.id
	header := w.Header()
	header["X-Request-Id"], header["X-Okta-Request-Id"] = info.ids[:], info.ids[:]
	defer o.access(r, info, start)
	defer o.recovered(&info.recorder, r)
	next.ServeHTTP(&info.recorder, r)
}

// access writes one line per request: the path without its query, which may carry codes.
func (o Options) access(r *http.Request, info *request, start time.Time) {
	if !o.Log.Enabled(r.Context(), slog.LevelInfo) {
		return
	}
	end := time.Now()
	line := slog.NewRecord(end, slog.LevelInfo, "request", 0) // a Logger would look for its caller, at a price
	line.AddAttrs(
		slog.String("request_id", info.id),
		slog.String("method", r.Method),
		slog.String("path", r.URL.Path),
		slog.Int("status", info.code()),
		slog.Int64("bytes", info.bytes),
		slog.String("client_ip", ipText(r, info.ip)),
		slog.Duration("duration", end.Sub(start)))
	_ = o.Log.Handler().Handle(r.Context(), line) // as a Logger does: there is nowhere to report it
}

// recovered answers 500 for a panic, or cuts the connection when the answer has begun.
func (o Options) recovered(rec *recorder, r *http.Request) {
	p := recover()
	if p == nil {
		return
	}
	if p == http.ErrAbortHandler {
		panic(p)
	}
	o.Log.ErrorContext(r.Context(), "panic in handler", slog.String("request_id", RequestID(r.Context())),
		slog.Any("panic", p), slog.String("stack", string(debug.Stack())))
	if rec.status != 0 {
		panic(http.ErrAbortHandler)
	}
	writeBody(rec, internal())
}

// recorder remembers what was answered. Unwrap keeps http.ResponseController working.
type recorder struct {
	http.ResponseWriter
	status int
	bytes  int64
}

func (w *recorder) WriteHeader(status int) {
	if w.status == 0 && status >= 200 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *recorder) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(b)
	w.bytes += int64(n)
	return n, err
}

// Unwrap is for http.ResponseController.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *recorder) code() int {
	if w.status == 0 {
		return http.StatusOK
	}
	return w.status
}
