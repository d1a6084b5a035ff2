package httpapi

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// APIOptions of the management API.
type APIOptions struct {
	Auth    Authenticator
	Version string // of the product, for the OpenAPI document
}

// NewAPI mounts the management API on mux, with its OpenAPI 3.1 document at
// /api/v1/openapi.json. Operations are registered with full paths. Each needs a
// credential of scope manage; GET and HEAD are content with manage.read. An operation
// whose Security is empty but not nil is open to all.
func NewAPI(mux *http.ServeMux, o APIOptions) huma.API {
	replaceErrors()
	c := huma.DefaultConfig("provost", o.Version)
	c.CreateHooks = nil // they add $schema to bodies and a third Link header
	c.AllowAdditionalPropertiesByDefault = true
	c.FieldsOptionalByDefault = true
	c.Components.Schemas = huma.NewMapRegistry("#/components/schemas/", schemaName)
	c.OpenAPIPath, c.DocsPath, c.SchemasPath = "", "", ""
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"bearer": {Type: "http", Scheme: "bearer", Description: "An API token, or an access token of the org authorization server."},
	}
	c.Security = []map[string][]string{{"bearer": {ScopeManage}}}
	api := humago.New(mux, c)
	api.UseMiddleware(withURL, o.authorize, readable)
	mux.HandleFunc("GET /api/v1/openapi.json", document(api))
	return api
}

// readable knows no path that is not text, which PostgreSQL would refuse as an id, and
// refuses a query that is none or cannot be read: left out, a filter would answer with
// everybody.
func readable(ctx huma.Context, next func(huma.Context)) {
	u := ctx.URL()
	_, w := humago.Unwrap(ctx)
	if !isReadable(u.Path) {
		writeBody(w, noPath())
		return
	}
	// RFC 3986, section 3.4: a semicolon may stand as it is.
	query, err := url.ParseQuery(strings.ReplaceAll(u.RawQuery, ";", "%3B"))
	if err != nil {
		writeBody(w, Invalid("query", "query: "+err.Error()))
		return
	}
	for name, values := range query {
		if slices.ContainsFunc(values, func(v string) bool { return !isReadable(v) }) {
			writeBody(w, Invalid(strings.ToValidUTF8(name, ""), "want text: UTF-8 without NUL"))
			return
		}
	}
	next(ctx)
}

func isReadable(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }

type urlKey struct{}

// withURL keeps the URL of the request for Links.
func withURL(ctx huma.Context, next func(huma.Context)) {
	u := ctx.URL()
	next(huma.WithValue(ctx, urlKey{}, &u))
}

func urlOf(ctx context.Context) *url.URL {
	if u, ok := ctx.Value(urlKey{}).(*url.URL); ok {
		return u
	}
	return &url.URL{}
}

// authorize lets an operation through for a credential that covers it.
func (o APIOptions) authorize(ctx huma.Context, next func(huma.Context)) {
	op := ctx.Operation()
	if op.Security != nil && len(op.Security) == 0 {
		next(ctx)
		return
	}
	r, w := humago.Unwrap(ctx)
	p, err := authenticate(r, o.Auth)
	if err != nil {
		writeRefusal(w, r, err)
		return
	}
	if !p.Allows(scopesFor(op.Method)...) {
		Insufficient(w, scopesFor(op.Method)[0])
		writeBody(w, Forbidden())
		return
	}
	next(huma.WithContext(ctx, WithPrincipal(ctx.Context(), p)))
}

func writeRefusal(w http.ResponseWriter, r *http.Request, err error) {
	if status, _ := refuse(w, r, err); status == http.StatusUnauthorized {
		writeBody(w, Unauthorized())
		return
	}
	writeBody(w, internal())
}

// scopesFor are the scopes of which one covers a method; the first is the narrowest.
func scopesFor(method string) []string {
	if method == http.MethodGet || method == http.MethodHead {
		return []string{ScopeManageRead, ScopeManage}
	}
	return []string{ScopeManage}
}

// replaceErrors gives huma's errors the form of the contract. They are variables of
// huma's package, so this happens once.
var replaceErrors = sync.OnceFunc(func() {
	huma.NewError = func(status int, msg string, errs ...error) huma.StatusError {
		return fromHuma(context.Background(), status, msg, errs)
	}
	huma.NewErrorWithContext = func(ctx huma.Context, status int, msg string, errs ...error) huma.StatusError {
		return fromHuma(ctx.Context(), status, msg, errs)
	}
})
