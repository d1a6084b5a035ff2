package authserver

import (
	"context"
	"strings"

	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/httpapi"
	"github.com/provost-id/provost/internal/id"
	"github.com/provost-id/provost/internal/sqldb"
)

// Values of Scope.MetadataPublish and Scope.Consent.
const (
	PublishAll  = "ALL_CLIENTS"
	PublishNone = "NO_CLIENTS"

	ConsentImplicit = "IMPLICIT"
	ConsentRequired = "REQUIRED"
	ConsentFlexible = "FLEXIBLE"
)

// Scopes that the server itself knows (OpenID Connect Core, sections 5.4 and 11).
const (
	scopeOpenID  = "openid"
	scopeProfile = "profile"
	scopeEmail   = "email"
	scopeAddress = "address"
	scopePhone   = "phone"
	scopeOffline = "offline_access"
	scopeGroups  = "groups"
)

// Scope is a scope of an authorization server as the management API shows it.
type Scope struct {
	ID              string `json:"id"`
	Name            string `json:"name"`
	DisplayName     string `json:"displayName,omitempty"`
	Description     string `json:"description,omitempty"`
	System          bool   `json:"system"`
	MetadataPublish string `json:"metadataPublish"`
	Consent         string `json:"consent"`
	Optional        bool   `json:"optional"`
	Default         bool   `json:"default"` // granted when a request names no scope
}

func systemScope(name, display string) Scope {
	return Scope{Name: name, DisplayName: display, MetadataPublish: PublishAll, Consent: ConsentImplicit}
}

// customScopes are the system scopes of a custom server.
var customScopes = []Scope{
	systemScope(scopeOpenID, "Sign in with an ID token"),
	systemScope(scopeProfile, "Name and other profile attributes"),
	systemScope(scopeEmail, "E-mail address"),
	systemScope(scopeAddress, "Postal address"),
	systemScope(scopePhone, "Phone number"),
	systemScope(scopeOffline, "Refresh tokens"),
}

// orgScopes are those of the org server: beside the system scopes, groups and the
// scopes of the product's own APIs.
var orgScopes = append(append([]Scope{}, customScopes...),
	systemScope(scopeGroups, "Group memberships"),
	apiScope(httpapi.ScopeSCIM), apiScope(httpapi.ScopeSCIMRead), apiScope(httpapi.ScopeSCIMMe),
	apiScope(httpapi.ScopeManage), apiScope(httpapi.ScopeManageRead))

func apiScope(name string) Scope {
	return Scope{Name: name, DisplayName: name, MetadataPublish: PublishNone, Consent: ConsentImplicit}
}

func isAPIScope(name string) bool {
	return name == httpapi.ScopeSCIMMe || needsAdministrator(name)
}

// needsAdministrator says that no other person gets the scope: it opens what is of all.
func needsAdministrator(name string) bool {
	return name == httpapi.ScopeSCIM || name == httpapi.ScopeSCIMRead || name == httpapi.ScopeManage || name == httpapi.ScopeManageRead
}

// isOIDCScope reports whether a scope means something to OpenID Connect, so that it
// needs openid (OpenID Connect Core, sections 5.4 and 11).
func isOIDCScope(name string) bool {
	switch name {
	case scopeOpenID, scopeProfile, scopeEmail, scopeAddress, scopePhone, scopeOffline, scopeGroups:
		return true
	}
	return false
}

func (v *Scope) normalize() error {
	if v.MetadataPublish == "" {
		v.MetadataPublish = PublishNone
	}
	if v.Consent == "" {
		v.Consent = ConsentImplicit
	}
	switch {
	case !validScopeName(v.Name):
		return invalid("name", "must be printable ASCII without space, quote or backslash, and not reserved")
	case v.MetadataPublish != PublishAll && v.MetadataPublish != PublishNone:
		return invalid("metadataPublish", "must be ALL_CLIENTS or NO_CLIENTS")
	case v.Consent != ConsentImplicit && v.Consent != ConsentRequired && v.Consent != ConsentFlexible:
		return invalid("consent", "must be IMPLICIT, REQUIRED or FLEXIBLE")
	}
	return nil
}

// validScopeName: RFC 6749, section 3.3, without what the contract reserves.
func validScopeName(name string) bool {
	if name == "" || len(name) > 1024 || name == "*" || name == "okta" ||
		strings.HasPrefix(name, "okta.") || strings.HasPrefix(name, "okta:") ||
		strings.Contains(name, "<") && strings.Contains(name, ">") {
		return false
	}
	for _, c := range []byte(name) {
		if c <= ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

// Scopes lists the scopes of a custom server.
func (s *Service) Scopes(ctx context.Context, serverID string) ([]Scope, error) {
	srv, err := s.custom(ctx, serverID)
	if err != nil {
		return nil, err
	}
	return srv.scopeList, nil
}

// Scope returns one scope, or ErrNotFound.
func (s *Service) Scope(ctx context.Context, serverID, scopeID string) (Scope, error) {
	all, err := s.Scopes(ctx, serverID)
	return find(all, err, func(v Scope) bool { return v.ID == scopeID })
}

// CreateScope adds a scope.
func (s *Service) CreateScope(ctx context.Context, c Change, serverID string, v Scope) (Scope, error) {
	if err := v.normalize(); err != nil {
		return Scope{}, err
	}
	if _, err := s.custom(ctx, serverID); err != nil {
		return Scope{}, err
	}
	v.ID, v.System = id.NewAt(id.Scope, s.now()), false
	err := s.change(ctx, c, "oauth2.scope.created", v.target(), func(tx *sqldb.Tx) error {
		return insertObject(tx, object{ID: v.ID, Kind: kindScope, Parent: serverID, Name: v.Name}, v)
	})
	return v, err
}

// UpdateScope replaces a scope. A system scope keeps its name.
func (s *Service) UpdateScope(ctx context.Context, c Change, serverID, scopeID string, v Scope) (Scope, error) {
	if err := v.normalize(); err != nil {
		return Scope{}, err
	}
	err := s.change(ctx, c, "oauth2.scope.updated", events.Target{ID: scopeID, Type: "Scope", Name: v.Name}, func(tx *sqldb.Tx) error {
		old, o, err := objectTx[Scope](tx, kindScope, serverID, scopeID)
		if err != nil {
			return err
		}
		if old.System && old.Name != v.Name {
			return ErrSystem
		}
		v.ID, v.System, o.Name = old.ID, old.System, v.Name
		return updateObject(tx, o, v)
	})
	return v, err
}

// DeleteScope removes a scope that is not a system scope.
func (s *Service) DeleteScope(ctx context.Context, c Change, serverID, scopeID string) error {
	return s.change(ctx, c, "oauth2.scope.deleted", events.Target{ID: scopeID, Type: "Scope"}, func(tx *sqldb.Tx) error {
		old, _, err := objectTx[Scope](tx, kindScope, serverID, scopeID)
		if err != nil {
			return err
		}
		if old.System {
			return ErrSystem
		}
		return deleteObject(tx, kindScope, scopeID)
	})
}

func (v *Scope) target() events.Target { return events.Target{ID: v.ID, Type: "Scope", Name: v.Name} }

func find[T any](all []T, err error, is func(T) bool) (T, error) {
	var none T
	if err != nil {
		return none, err
	}
	for _, v := range all {
		if is(v) {
			return v, nil
		}
	}
	return none, ErrNotFound
}
