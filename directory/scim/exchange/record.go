package exchange

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
)

// maxKept bounds a body that is recorded; a larger one goes through and is not kept.
const maxKept = 1 << 20

// Recorder is a reverse proxy that writes down what goes through it. What it cannot keep
// goes through all the same: it stands between somebody's directory and their users.
type Recorder struct {
	proxy *httputil.ReverseProxy
	out   *Writer
	log   *slog.Logger

	mu    sync.Mutex // guards what follows: exchanges are written one after the other
	names namer
	lost  int
}

// NewRecorder returns a recorder that passes everything on to the service at upstream.
// The transport may be nil for http.DefaultTransport.
func NewRecorder(upstream *url.URL, transport http.RoundTripper, out *Writer, log *slog.Logger) *Recorder {
	r := &Recorder{out: out, log: log}
	r.names = namer{count: map[string]int{}, known: map[string]bool{}, etags: map[string]string{}}
	r.proxy = &httputil.ReverseProxy{
		Transport: transport,
		Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(upstream)
			p.Out.URL.RawQuery, p.Out.URL.ForceQuery = p.In.URL.RawQuery, p.In.URL.ForceQuery // as it came, even malformed
			p.Out.Header.Del("Accept-Encoding")                                               // what is kept must be readable
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			log.Error("upstream does not answer", slog.Any("error", err))
			w.WriteHeader(http.StatusBadGateway)
			if t, ok := w.(*tee); ok {
				t.failed = true
			}
		},
	}
	return r
}

// heard is a request, and answered its answer, as they went through.
type heard struct {
	method, path string
	header       http.Header
	body         []byte
}

type answered struct {
	status int
	header http.Header
	body   []byte
}

// ServeHTTP implements http.Handler.
func (r *Recorder) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	sent := opening(req)
	out := &tee{ResponseWriter: w}
	q := heard{method: req.Method, path: req.URL.RequestURI(), header: req.Header.Clone()}
	r.proxy.ServeHTTP(out, req)
	switch {
	case out.failed:
	case len(sent) > maxKept || out.body.over:
		r.lose(errors.New("a body is too large to keep"), q)
	default:
		q.body = sent
		r.keep(q, answered{status: out.status, header: out.Header(), body: out.body.Bytes()})
	}
}

// opening reads the body as far as it is kept, and one byte to tell that there is more.
// It does so before the request goes on: a server may answer, and the exchange be over,
// while the transport still sends the body.
func opening(req *http.Request) []byte {
	if req.Body == nil {
		return nil
	}
	b, _ := io.ReadAll(io.LimitReader(req.Body, maxKept+1)) // an error comes again to who reads on
	req.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(b), req.Body), req.Body}
	return b
}

func (r *Recorder) keep(q heard, a answered) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e, err := r.names.exchange(q, a)
	if err == nil {
		err = r.out.Append(withoutCredential(e, credential(q.header)))
	}
	if err != nil {
		r.loseLocked(err, q)
	}
}

// withoutCredential takes the credential of the client away wherever it stands.
func withoutCredential(e Exchange, secret string) Exchange {
	if secret == "" {
		return e
	}
	b, err := marshal(e)
	if err != nil || !bytes.Contains(b, []byte(secret)) {
		return e
	}
	var clean Exchange
	if json.Unmarshal(bytes.ReplaceAll(b, []byte(secret), []byte("***")), &clean) != nil {
		return Exchange{About: "left out: the credential of the client stood in it", Request: Request{Method: e.Request.Method}}
	}
	return clean
}

func (r *Recorder) lose(err error, q heard) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.loseLocked(err, q)
}

func (r *Recorder) loseLocked(err error, q heard) {
	r.lost++
	path, _, _ := strings.Cut(q.path, "?")
	r.log.Warn("exchange not recorded", slog.String("method", q.method), slog.String("path", path), slog.Any("error", err))
}

// Lost is how many exchanges went through and were not recorded.
func (r *Recorder) Lost() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.lost
}

// limited keeps what is written to it, up to maxKept bytes.
type limited struct {
	bytes.Buffer
	over bool
}

func (l *limited) Write(p []byte) (int, error) {
	if l.over = l.over || l.Len()+len(p) > maxKept; !l.over {
		return l.Buffer.Write(p)
	}
	return len(p), nil
}

// tee keeps an answer while it goes out.
type tee struct {
	http.ResponseWriter
	status int
	body   limited
	failed bool
}

func (t *tee) WriteHeader(status int) {
	if status >= http.StatusOK {
		t.status = status
	}
	t.ResponseWriter.WriteHeader(status)
}

func (t *tee) Write(p []byte) (int, error) {
	if t.status == 0 {
		t.status = http.StatusOK
	}
	_, _ = t.body.Write(p) // it takes everything
	return t.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController reach the writer below.
func (t *tee) Unwrap() http.ResponseWriter { return t.ResponseWriter }
