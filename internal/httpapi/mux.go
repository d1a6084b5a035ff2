package httpapi

import (
	"net/http"
	"strings"
)

// Form says how the surface below a path prefix writes an error of its own protocol.
type Form struct {
	Prefix string
	Write  func(w http.ResponseWriter, r *http.Request, status int)
}

// Mux serves mux, and answers what it has no route for: 404 for an unknown path, 405
// with an Allow header for an unknown method. The error body is that of the first
// form whose prefix fits, else that of the management API, E0000008 and E0000022.
func Mux(mux *http.ServeMux, forms ...Form) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h, pattern := mux.Handler(r)
		switch {
		case pattern != "" && !strings.Contains(pattern, "{"):
			h.ServeHTTP(w, r) // nothing of the path is to be kept
			return
		case pattern != "":
			mux.ServeHTTP(w, r)
			return
		}
		probe := probe{header: http.Header{}}
		h.ServeHTTP(&probe, r)
		if allow := probe.header.Get("Allow"); allow != "" {
			w.Header().Set("Allow", allow)
		}
		for _, f := range forms {
			if strings.HasPrefix(r.URL.Path, f.Prefix) {
				f.Write(w, r, probe.status)
				return
			}
		}
		if probe.status == http.StatusMethodNotAllowed {
			writeBody(w, noMethod())
			return
		}
		writeBody(w, noPath())
	})
}

// probe learns what ServeMux would have answered.
type probe struct {
	header http.Header
	status int
}

// Header implements http.ResponseWriter.
func (p *probe) Header() http.Header { return p.header }

// Write implements http.ResponseWriter; the text is thrown away.
func (p *probe) Write(b []byte) (int, error) { return len(b), nil }

// WriteHeader implements http.ResponseWriter.
func (p *probe) WriteHeader(status int) { p.status = status }
