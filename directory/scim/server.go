package scim

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/directory/feed"
	"github.com/provost-id/provost/internal/httpapi"
	"github.com/provost-id/provost/schemas"
	wire "github.com/provost-id/provost/schemas/scim"
)

// Base is the path of the service. Handler serves everything below Root: a client may
// leave the version out.
const (
	Root = "/scim"
	Base = Root + "/v2"
)

// The largest bodies, in bytes. A user is small; a group may bring 100,000 members as
// it was answered, with references and names.
const (
	maxUserBody   = 1 << 20
	maxGroupBody  = 32 << 20
	maxSearchBody = 1 << 20
)

// Server serves one organisation's directory.
type Server struct {
	Directory *directory.Directory
	Auth      httpapi.Authenticator
	// NoteDialect keeps the dialect that a request with a token gave away; nil forgets it.
	NoteDialect func(ctx context.Context, tokenID, dialect string) error
	Feed        *feed.Service // nil: there are no event streams

	kinds kinds
	bulks turns
	large turns // of requests with large bodies
}

// Handler returns the whole service, authentication included.
func (s *Server) Handler() http.Handler {
	s.bulks, s.large = make(turns, maxBulks), make(turns, maxLarge)
	s.kinds = kinds{users: s.users(), groups: s.groups(), others: s.others(), own: s.own()}
	mux := http.NewServeMux()
	mux.HandleFunc(Base+"/{endpoint}", s.serveCollection)
	mux.HandleFunc(Base+"/{endpoint}/{id}", s.serveSingle)
	mux.Handle(Base, methods{"GET": s.listAllOrChanges})
	mux.Handle(Base+"/.search", methods{"POST": s.searchAll})
	mux.Handle(Base+"/Schemas", methods{"GET": s.schemas})
	mux.Handle(Base+"/Schemas/{id}", methods{"GET": s.schema})
	mux.Handle(Base+"/ResourceTypes", methods{"GET": s.resourceTypes})
	mux.Handle(Base+"/ResourceTypes/{name}", methods{"GET": s.resourceType})
	mux.HandleFunc(Base+"/Me", s.me)
	mux.Handle(Base+"/Bulk", methods{"POST": s.bulk})
	if s.Feed != nil {
		mux.Handle(Base+feed.StreamsPath+"{id}/poll", methods{"POST": s.pollStream})
	}
	mux.HandleFunc("/", s.noPath)

	protected := httpapi.Authenticate(s.Auth, writeStatus)(authorize(s.listen(mux)))
	config, keys := methods{"GET": s.serviceProviderConfig}, methods{"GET": s.eventKeys}
	return canonical(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		// RFC 7643, section 5: the authentication schemes should be readable without one.
		case r.URL.Path == Base+"/ServiceProviderConfig":
			config.ServeHTTP(w, r)
		case r.URL.Path == Base+feed.KeysPath && s.Feed != nil:
			keys.ServeHTTP(w, r)
		default:
			protected.ServeHTTP(w, r)
		}
	}))
}

// canonical forgives a slash at the end of the path, knows no path that is not text
// (PostgreSQL would refuse it as an id), and refuses a query that cannot be read: url.Values leaves out what is malformed, and a list without its filter is a
// list of everybody. A semicolon may stand as it is (RFC 3986, section 3.4), though
// net/url takes it for malformed.
func canonical(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if isCanonical(r.URL) {
			next.ServeHTTP(w, r)
			return
		}
		u := *r.URL
		if raw, ok := strings.CutSuffix(u.EscapedPath(), "/"); ok { // an escaped slash is part of an id
			u.Path = strings.TrimSuffix(u.Path, "/")
			u.RawPath = raw
		}
		if !utf8.ValidString(u.Path) || strings.ContainsRune(u.Path, 0) {
			writeStatus(w, r, http.StatusNotFound, "there is nothing at a path that is not text")
			return
		}
		if hasDots(u.Path) { // http.ServeMux would answer with a redirect
			writeStatus(w, r, http.StatusNotFound, "there is nothing at a path with dots for a segment")
			return
		}
		if path := straighten(u.Path); path != u.Path {
			u.Path, u.RawPath = path, straighten(u.EscapedPath())
			r = r.WithContext(context.WithValue(r.Context(), bentKey{}, true))
		}
		u.RawQuery = strings.ReplaceAll(u.RawQuery, ";", "%3B")
		if _, err := url.ParseQuery(u.RawQuery); err != nil {
			writeErrorBody(w, http.StatusBadRequest, schemas.InvalidValue, "the query is malformed: "+err.Error())
			return
		}
		canonical := *r
		canonical.URL = &u
		next.ServeHTTP(w, &canonical)
	})
}

// isCanonical knows the plain paths without a query, most of what comes.
func isCanonical(u *url.URL) bool {
	if u.RawQuery != "" || u.RawPath != "" || strings.HasSuffix(u.Path, "/") || straighten(u.Path) != u.Path {
		return false
	}
	for i := range len(u.Path) {
		if c := u.Path[i]; c <= ' ' || c >= 0x7f || c == '.' && i > 0 && u.Path[i-1] == '/' {
			return false
		}
	}
	return true
}

// hasDots finds "." and ".." among the segments of a path.
func hasDots(path string) bool {
	for segment := range strings.SplitSeq(path, "/") {
		if segment == "." || segment == ".." {
			return true
		}
	}
	return false
}

// methods serves one path by method: HEAD as GET (net/http drops the body), OPTIONS
// with the list, and 405 with it for any other (RFC 9110, section 15.5.6).
type methods map[string]http.HandlerFunc

// ServeHTTP implements http.Handler.
func (m methods) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h, ok := m[methodOf(r)]; ok {
		h(w, r)
		return
	}
	refuseMethod(w, r, allow(m))
}

func methodOf(r *http.Request) string {
	if r.Method == http.MethodHead {
		return http.MethodGet
	}
	return r.Method
}

// refuseMethod answers OPTIONS, and 405 to every other method.
func refuseMethod(w http.ResponseWriter, r *http.Request, allow string) {
	w.Header().Set("Allow", allow)
	if r.Method == http.MethodOptions {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	writeStatus(w, r, http.StatusMethodNotAllowed, r.Method+" is not supported here; supported are "+allow)
}

// allow lists the methods of a path.
func allow[H any](handlers map[string]H) string {
	all := []string{http.MethodOptions}
	for method := range handlers {
		all = append(all, method)
		if method == http.MethodGet {
			all = append(all, http.MethodHead)
		}
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

// The scopes that let a caller write, and read.
var (
	toWrite = []string{httpapi.ScopeSCIM}
	toRead  = []string{httpapi.ScopeSCIM, httpapi.ScopeSCIMRead}
)

// scopesFor are those of which one lets a caller do what a request asks for: scim
// everything, scim.read what changes nothing.
func scopesFor(r *http.Request) []string {
	if isRead(r) {
		return toRead
	}
	return toWrite
}

// authorize asks for a scope. That of one's own resource opens nothing but /Me.
func authorize(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		scopes := scopesFor(r)
		if r.URL.Path == Base+"/Me" {
			scopes = append(slices.Clip(scopes), httpapi.ScopeSCIMMe)
		}
		if !httpapi.Caller(r.Context()).Allows(scopes...) {
			httpapi.Insufficient(w, scopes...)
			writeStatus(w, r, http.StatusForbidden, "the token lacks the scope "+strings.Join(scopes, " or "))
			return
		}
		next.ServeHTTP(w, r)
	})
}

func isRead(r *http.Request) bool {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return true
	}
	return r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/.search") || isPoll(r)
}

// change is the caller of a request. It never carries the right to change
// Administrators, whatever scopes the token has.
func change(r *http.Request) directory.Change {
	p := httpapi.Caller(r.Context())
	return directory.Change{
		Actor: p.Actor(), Request: httpapi.RequestID(r.Context()), Client: p.ID, Base: baseURL(r), Bounds: bounds(r.Context()), Reactivates: p.Reactivates,
		VerifiesEmail: p.VerifiesEmail || p.Allows(httpapi.ScopeManage), // an administrator's own is believed
		Source:        directory.Source{Kind: directory.SourceSCIM},
	}
}

func baseURL(r *http.Request) string { return httpapi.PublicURL(r.Context()) + Base }

// otherVersion is how a version of the protocol that is not ours begins a path below Base.
var otherVersion = regexp.MustCompile(`^/(v[0-9]+(\.[0-9]+)?)(/|$)`)

func (s *Server) noPath(w http.ResponseWriter, r *http.Request) {
	if v := otherVersion.FindStringSubmatch(strings.TrimPrefix(r.URL.Path, Base)); v != nil && v[1] != "v2" {
		s.writeError(w, r, badRequest("invalidVers", "version "+v[1]+" of the protocol is not served: it is v2")) // RFC 7644, section 3.13
		return
	}
	writeStatus(w, r, http.StatusNotFound, "there is no endpoint "+r.URL.Path)
}

// mediaType is the Content-Type of every answer; nobody changes it.
var mediaType = []string{wire.MediaType}

// writeJSON answers with a SCIM body. Its length is told, or net/http would send what is
// longer than its buffer in chunks.
func writeJSON(w http.ResponseWriter, status int, body []byte) {
	w.Header()["Content-Type"] = mediaType
	if len(body) > 2<<10 {
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	}
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client has gone; there is nobody to tell
}
