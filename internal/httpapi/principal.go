// Package httpapi is the plumbing of every HTTP surface: request IDs, the access
// log, body limits, trusted proxies, panics, who is calling, the error body of the
// management API, and the one outbound client that refuses private addresses. What
// a route means is left to the package that serves it.
package httpapi

import (
	"context"
	"errors"
	"slices"

	"github.com/provost-id/provost/internal/events"
)

// Scopes of the product's own APIs.
const (
	ScopeSCIM       = "scim"
	ScopeSCIMRead   = "scim.read"
	ScopeSCIMMe     = "scim.me" // of the person's own resource, and what SELF permits of it
	ScopeManage     = "manage"
	ScopeManageRead = "manage.read"
)

// ErrUnauthenticated is returned by an Authenticator for a credential that is
// unknown, expired or revoked.
var ErrUnauthenticated = errors.New("invalid token")

// Principal is who calls an API: an API token, or an access token of the org
// authorization server.
type Principal struct {
	ID      string // of the API token, or the client ID: one namespace of external IDs each
	Name    string
	Type    string   // "Token", "Client" or "User": the type of events.Actor
	UserID  string   // the user behind it, empty for none
	Scopes  []string // of the credential
	Dialect string   // SCIM client profile, empty to tell it by the requests
	// Detected is the profile that earlier requests gave away, empty for none.
	Detected string
	// Limits narrow what the credential opens over SCIM; nil for nothing.
	Limits *Limits
	// Reactivates says that a POST may bring back whom this client had provisioned
	// before; VerifiesEmail, that the mail addresses it sets are known to be theirs.
	Reactivates, VerifiesEmail bool
}

// Allows reports whether the credential carries one of the scopes.
func (p Principal) Allows(scopes ...string) bool {
	return slices.ContainsFunc(scopes, func(s string) bool { return slices.Contains(p.Scopes, s) })
}

// Actor is the principal as the actor of an event.
func (p Principal) Actor() events.Actor {
	return events.Actor{ID: p.ID, Type: p.Type, Name: p.Name}
}

// Authenticator finds the principal behind a bearer credential.
type Authenticator interface {
	// Authenticate returns ErrUnauthenticated for a credential it does not accept.
	Authenticate(ctx context.Context, token string) (Principal, error)
}

// Authenticators asks each in turn; the first that accepts wins.
type Authenticators []Authenticator

// Authenticate implements Authenticator.
func (as Authenticators) Authenticate(ctx context.Context, token string) (Principal, error) {
	for _, a := range as {
		p, err := a.Authenticate(ctx, token)
		if !errors.Is(err, ErrUnauthenticated) {
			return p, err
		}
	}
	return Principal{}, ErrUnauthenticated
}

type principalKey struct{}

// WithPrincipal returns a context that carries the caller.
func WithPrincipal(ctx context.Context, p Principal) context.Context {
	return context.WithValue(ctx, principalKey{}, p)
}

// Caller is the principal of the request; the zero value when nobody authenticated.
func Caller(ctx context.Context) Principal {
	if p, ok := ctx.Value(principalKey{}).(Principal); ok {
		return p
	}
	return requestOf(ctx).caller
}
