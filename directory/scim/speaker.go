package scim

import (
	"context"
	"log/slog"
	"net/http"
	"strings"

	"github.com/provost-id/provost/internal/httpapi"
	"github.com/provost-id/provost/schemas"
)

// DialectHeader tells a client whose dialect is not pinned by which profile it was
// understood.
const DialectHeader = "Provost-SCIM-Dialect"

// The header is made once, and not for every request. Nobody changes it.
var (
	dialectKey    = http.CanonicalHeaderKey(DialectHeader)
	dialectValues = valuesOfDialects()
)

func valuesOfDialects() map[string][]string {
	values := map[string][]string{}
	for _, name := range schemas.DialectNames() {
		values[name] = []string{name}
	}
	return values
}

// speaker is how the client of a request speaks, while its body may still tell.
type speaker struct {
	server  *Server
	dialect schemas.Dialect
}

type speakerKey struct{}

// listen tells by which dialect a request is to be understood: the one that is pinned to
// the token, or else the one that this request gives away, or an earlier one, or
// Generic. A body is heard when it is read.
func (s *Server) listen(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d := s.hear(w, r, nil)
		if isBent(r) && !d.LoosePaths {
			s.noPath(w, r)
			return
		}
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			r = r.WithContext(context.WithValue(r.Context(), speakerKey{}, &speaker{server: s, dialect: d}))
		}
		next.ServeHTTP(w, r)
	})
}

// hearBody is listen for the body of a request, once it has been read.
func hearBody(w http.ResponseWriter, r *http.Request, body []byte) {
	if sp, ok := r.Context().Value(speakerKey{}).(*speaker); ok {
		sp.dialect = sp.server.hear(w, r, body)
	}
}

func (s *Server) hear(w http.ResponseWriter, r *http.Request, body []byte) schemas.Dialect {
	p := httpapi.Caller(r.Context())
	d, pinned, shown := spoken(p, r, body)
	if pinned {
		return d
	}
	w.Header()[dialectKey] = dialectValues[d.Name]
	if shown && d.Name != p.Detected && p.Type == "Token" && s.NoteDialect != nil {
		if err := s.NoteDialect(r.Context(), p.ID, d.Name); err != nil { // the next request shows it again
			s.Directory.Log.WarnContext(r.Context(), "dialect not noted", slog.String("token", p.ID), slog.Any("error", err))
		}
	}
	return d
}

// spoken is the dialect of a request: pinned to its token, or shown by the request, or
// neither.
func spoken(p httpapi.Principal, r *http.Request, body []byte) (d schemas.Dialect, pinned, shown bool) {
	if p.Dialect != "" && !strings.EqualFold(p.Dialect, schemas.AutoDialect) {
		d, _ = schemas.DialectByName(p.Dialect)
		return d, true, false
	}
	d, shown = schemas.Detect(schemas.Evidence{UserAgent: r.UserAgent(), Query: r.URL.RawQuery, Body: body})
	if !shown {
		d, _ = schemas.DialectByName(p.Detected)
	}
	return d, false, shown
}

// dialect is how the client of a request speaks.
func dialect(r *http.Request) schemas.Dialect {
	if sp, ok := r.Context().Value(speakerKey{}).(*speaker); ok {
		return sp.dialect
	}
	d, _, _ := spoken(httpapi.Caller(r.Context()), r, nil)
	return d
}

type bentKey struct{}

// isBent says that straighten has changed the path.
func isBent(r *http.Request) bool { return r.Context().Value(bentKey{}) != nil }

// straighten returns the path that a client means who left the version of the protocol
// out, or repeats it, or a slash: it joins a base URL and a path that both, or neither,
// have it.
func straighten(path string) string {
	for strings.Contains(path, "//") {
		path = strings.ReplaceAll(path, "//", "/")
	}
	if path == Root {
		return Base
	}
	rest, ok := strings.CutPrefix(path, Root+"/")
	if !ok {
		return path
	}
	segment, rest, _ := strings.Cut(rest, "/")
	if segment != "v2" {
		return Base + path[len(Root):]
	}
	if segment, _, _ = strings.Cut(rest, "/"); segment == "v2" {
		return Root + "/" + rest
	}
	return path
}
