package manage

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/provost-id/provost/authserver"
	"github.com/provost-id/provost/internal/httpapi"
)

const (
	clientsPath = "/oauth2/v1/clients"
	// maxBody bounds the metadata of a client.
	maxBody = 256 << 10
	// defaultPage and maxPage are the numbers of clients on one page.
	defaultPage, maxPage = 50, 200
)

// clientHandlers serve the client management (RFC 7591 and 7592, in the manner of the
// contract: by an administrator's token, never by anybody).
type clientHandlers struct{ s *authserver.Service }

// RegisterClients mounts /oauth2/v1/clients. auth finds the caller, who needs the scope
// manage, and to read manage.read.
func RegisterClients(mux *http.ServeMux, s *authserver.Service, auth httpapi.Authenticator) {
	h := &clientHandlers{s: s}
	authenticated := httpapi.Authenticate(auth, func(w http.ResponseWriter, r *http.Request, status int, _ string) {
		if status == http.StatusUnauthorized {
			httpapi.WriteError(w, r, httpapi.Unauthorized())
			return
		}
		httpapi.WriteError(w, r, httpapi.New(status, httpapi.EInternal, "Internal Server Error"))
	})
	limit := httpapi.LimitBody(maxBody)
	mount := func(pattern string, fn http.HandlerFunc, scopes ...string) {
		mux.Handle(pattern, limit(authenticated(scoped(fn, scopes...))))
	}
	const one = clientsPath + "/{id}"
	mount("GET "+clientsPath, h.list, httpapi.ScopeManageRead, httpapi.ScopeManage)
	mount("GET "+one, h.read, httpapi.ScopeManageRead, httpapi.ScopeManage)
	mount("POST "+clientsPath, h.create, httpapi.ScopeManage)
	mount("PUT "+one, h.replace, httpapi.ScopeManage)
	mount("DELETE "+one, h.remove, httpapi.ScopeManage)
	mount("POST "+one+"/lifecycle/newSecret", h.newSecret, httpapi.ScopeManage)
}

func scoped(next http.Handler, scopes ...string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !httpapi.Caller(r.Context()).Allows(scopes...) {
			httpapi.Insufficient(w, scopes[0])
			httpapi.WriteError(w, r, httpapi.Forbidden())
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (h *clientHandlers) create(w http.ResponseWriter, r *http.Request) {
	c, err := decodeClient(r)
	if err != nil {
		writeError(w, r, err)
		return
	}
	out, err := h.s.CreateClient(r.Context(), change(r.Context()), c)
	respond(w, r, http.StatusCreated, out, err)
}

func (h *clientHandlers) read(w http.ResponseWriter, r *http.Request) {
	out, err := h.s.Client(r.Context(), r.PathValue("id"))
	respond(w, r, http.StatusOK, out, err)
}

func (h *clientHandlers) replace(w http.ResponseWriter, r *http.Request) {
	c, err := decodeClient(r)
	if err == nil && c.ID != "" && c.ID != r.PathValue("id") { // RFC 7592, section 2.2
		err = &authserver.InvalidError{Field: "client_id", Reason: "is not the client of this address"}
	}
	if err != nil {
		writeError(w, r, err)
		return
	}
	out, err := h.s.UpdateClient(r.Context(), change(r.Context()), r.PathValue("id"), c)
	respond(w, r, http.StatusOK, out, err)
}

func (h *clientHandlers) remove(w http.ResponseWriter, r *http.Request) {
	if err := h.s.DeleteClient(r.Context(), change(r.Context()), r.PathValue("id")); err != nil {
		writeError(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (h *clientHandlers) newSecret(w http.ResponseWriter, r *http.Request) {
	out, err := h.s.NewClientSecret(r.Context(), change(r.Context()), r.PathValue("id"))
	respond(w, r, http.StatusOK, out, err)
}

// list serves one page, with its links in separate header lines.
func (h *clientHandlers) list(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	limit, err := strconv.Atoi(first(q.Get("limit"), strconv.Itoa(defaultPage)))
	if err != nil || limit < 1 {
		httpapi.WriteError(w, r, httpapi.New(http.StatusBadRequest, httpapi.EPaging, "The limit must be a number above zero."))
		return
	}
	page, next, err := h.page(r, q.Get("after"), min(limit, maxPage), strings.ToLower(q.Get("q")))
	if err != nil {
		writeError(w, r, err)
		return
	}
	w.Header().Add("Link", pageLink(r, q, "self"))
	if next != "" {
		q.Set("after", next)
		w.Header().Add("Link", pageLink(r, q, "next"))
	}
	writeJSON(w, http.StatusOK, page)
}

// page collects the clients whose name holds q, from as many as it takes.
func (h *clientHandlers) page(r *http.Request, after string, limit int, q string) (page []*authserver.Client, next string, err error) {
	page = []*authserver.Client{}
	for {
		some, err := h.s.Clients(r.Context(), after, maxPage)
		if err != nil || len(some) == 0 {
			return page, "", err
		}
		for _, c := range some {
			if q != "" && !strings.Contains(strings.ToLower(c.Name), q) {
				continue
			}
			if len(page) == limit {
				return page, page[limit-1].ID, nil
			}
			page = append(page, c)
		}
		after = some[len(some)-1].ID
	}
}

func pageLink(r *http.Request, q url.Values, rel string) string {
	target := httpapi.PublicURL(r.Context()) + r.URL.EscapedPath()
	if e := q.Encode(); e != "" {
		target += "?" + e
	}
	return "<" + target + `>; rel="` + rel + `"`
}

// errMetadata is a body that is no client metadata.
var errMetadata = &authserver.InvalidError{Field: "body", Reason: "must be a JSON object of client metadata"}

// decodeClient reads metadata. Members that we do not know are ignored (RFC 7591,
// section 2); what the server itself sets is not taken from it.
func decodeClient(r *http.Request) (authserver.Client, error) {
	var in struct {
		authserver.Client
		JWKSURI string `json:"jwks_uri"`
	}
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return authserver.Client{}, err
	}
	if err := json.Unmarshal(raw, &in); err != nil {
		return authserver.Client{}, errMetadata
	}
	if in.JWKSURI != "" {
		return authserver.Client{}, &authserver.InvalidError{Field: "jwks_uri", Reason: "is not supported, send the keys as jwks"}
	}
	return in.Client, nil
}

func respond(w http.ResponseWriter, r *http.Request, status int, c *authserver.Client, err error) {
	if err != nil {
		writeError(w, r, err)
		return
	}
	writeJSON(w, status, c)
}

// writeError answers in the form of RFC 7591, section 3.2.2; an unknown client is
// E0000007.
func writeError(w http.ResponseWriter, r *http.Request, err error) {
	var fault *authserver.InvalidError
	switch {
	case errors.As(err, &fault) && fault.Field == "redirect_uris":
		writeJSON(w, http.StatusBadRequest, oauthBody{"invalid_redirect_uri", fault.Error()})
	case errors.As(err, &fault):
		writeJSON(w, http.StatusBadRequest, oauthBody{"invalid_client_metadata", fault.Error()})
	case errors.Is(err, authserver.ErrNotFound):
		httpapi.WriteError(w, r, httpapi.NotFound(r.PathValue("id"), "OAuth2Client"))
	default:
		httpapi.WriteError(w, r, err)
	}
}

// writeJSON answers with something that must not be kept: it may hold a secret.
func writeJSON(w http.ResponseWriter, status int, body any) {
	raw, err := json.Marshal(body)
	if err != nil { // only for a type that cannot be encoded
		panic(err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(raw) // the client has gone; there is nobody to tell
}

func first(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}
