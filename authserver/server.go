package authserver

import (
	"context"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/id"
	"github.com/provost-id/provost/internal/sqldb"
)

// The servers that exist from the first start.
const (
	OrgServer     = "org"
	DefaultServer = "default"
)

// Statuses of a configuration object.
const (
	Active   = "ACTIVE"
	Inactive = "INACTIVE"
)

// Server is a custom authorization server as the management API shows it.
type Server struct {
	ID          string   `json:"id"`
	Name        string   `json:"name"`
	Description string   `json:"description"`
	Audiences   []string `json:"audiences"` // exactly one
	Issuer      string   `json:"issuer"`    // follows from the public URL
	IssuerMode  string   `json:"issuerMode"`
	Status      string   `json:"status"`
	// AccessTokenAlg signs access tokens: ES256 when empty, or RS256.
	AccessTokenAlg string `json:"access_token_signed_response_alg,omitempty"`
	Default        bool   `json:"default"`
	Created        Time   `json:"created"`
	LastUpdated    Time   `json:"lastUpdated"`
}

func (v *Server) normalize() error {
	v.Name = strings.TrimSpace(v.Name)
	if v.IssuerMode == "" {
		v.IssuerMode = "ORG_URL"
	}
	switch {
	case v.Name == "" || utf8.RuneCountInString(v.Name) > 255:
		return invalid("name", "must have 1 to 255 characters")
	case len(v.Audiences) != 1 || v.Audiences[0] == "":
		return invalid("audiences", "exactly one audience is needed")
	case !validAudience(v.Audiences[0]):
		return invalid("audiences", "an audience that contains ':' must be a URI")
	case v.AccessTokenAlg != "" && v.AccessTokenAlg != es256 && v.AccessTokenAlg != rs256:
		return invalid("access_token_signed_response_alg", "must be ES256 or RS256")
	case v.IssuerMode != "ORG_URL":
		return invalid("issuerMode", "must be ORG_URL")
	}
	return nil
}

func validAudience(a string) bool {
	if len(a) > 1024 {
		return false
	}
	if !strings.Contains(a, ":") {
		return true
	}
	u, err := url.Parse(a)
	return err == nil && u.Scheme != ""
}

// issuer of a server: the public URL for the org server.
func (s *Service) issuer(serverID string) string {
	if serverID == OrgServer {
		return s.PublicURL
	}
	return s.PublicURL + "/oauth2/" + serverID
}

// CreateServer makes a custom authorization server with the system scopes and a key.
// It grants nothing until it has a policy and a rule.
func (s *Service) CreateServer(ctx context.Context, c Change, v Server) (Server, error) {
	if err := v.normalize(); err != nil {
		return Server{}, err
	}
	now := Time{s.now()}
	v.ID, v.Default, v.Status, v.Created, v.LastUpdated = id.NewAt(id.AuthServer, now.Time), false, Active, now, now
	keys, err := newKeyPair(es256)
	if err != nil {
		return Server{}, err
	}
	target := events.Target{ID: v.ID, Type: "AuthorizationServer", Name: v.Name}
	err = s.change(ctx, c, "oauth2.as.created", target, func(tx *sqldb.Tx) error {
		return s.insertServer(tx, v, customScopes, keys)
	})
	return s.shown(v), err
}

// insertServer stores a server with its first scopes, claims and keys.
func (s *Service) insertServer(tx *sqldb.Tx, v Server, scopes []Scope, keys []*key) error {
	if err := insertObject(tx, object{ID: v.ID, Kind: kindServer, Name: v.Name}, v); err != nil {
		return err
	}
	for _, sc := range scopes {
		sc.ID, sc.System = id.NewAt(id.Scope, v.Created.Time), true
		if err := insertObject(tx, object{ID: sc.ID, Kind: kindScope, Parent: v.ID, Name: sc.Name}, sc); err != nil {
			return err
		}
	}
	sub := subjectClaim
	sub.ID = id.NewAt(id.Claim, v.Created.Time)
	if err := insertObject(tx, sub.object(v.ID), sub); err != nil {
		return err
	}
	return s.insertKeys(tx, v.ID, keys, v.Created.Time)
}

func (s *Service) shown(v Server) Server {
	v.Issuer = s.issuer(v.ID)
	return v
}

// Server returns a custom authorization server, or ErrNotFound.
func (s *Service) Server(ctx context.Context, serverID string) (Server, error) {
	srv, err := s.custom(ctx, serverID)
	if err != nil {
		return Server{}, err
	}
	return srv.Server, nil
}

// Servers lists the custom authorization servers by age.
func (s *Service) Servers(ctx context.Context) ([]Server, error) {
	all, err := s.servers.Get(ctx)
	if err != nil {
		return nil, err
	}
	var out []Server
	for _, srv := range all.ordered {
		if srv.ID != OrgServer {
			out = append(out, srv.Server)
		}
	}
	return out, nil
}

// UpdateServer replaces name, description, audience and algorithm.
func (s *Service) UpdateServer(ctx context.Context, c Change, serverID string, v Server) (out Server, err error) {
	if err := v.normalize(); err != nil {
		return Server{}, err
	}
	err = s.changeServer(ctx, c, "oauth2.as.updated", serverID, func(old *Server) error {
		old.Name, old.Description, old.Audiences, old.AccessTokenAlg = v.Name, v.Description, v.Audiences, v.AccessTokenAlg
		out = *old
		return nil
	})
	return s.shown(out), err
}

// SetServerStatus activates or deactivates a server. An inactive one answers nothing.
func (s *Service) SetServerStatus(ctx context.Context, c Change, serverID, status string) error {
	return s.changeServer(ctx, c, "oauth2.as."+strings.ToLower(status), serverID, func(old *Server) error {
		old.Status = status
		return nil
	})
}

func (s *Service) changeServer(ctx context.Context, c Change, event, serverID string, fn func(*Server) error) error {
	if serverID == OrgServer {
		return ErrNotFound
	}
	target := events.Target{ID: serverID, Type: "AuthorizationServer"}
	return s.change(ctx, c, event, target, func(tx *sqldb.Tx) error {
		v, o, err := objectTx[Server](tx, kindServer, "", serverID)
		if err != nil {
			return err
		}
		if err := fn(&v); err != nil {
			return err
		}
		v.LastUpdated = Time{s.now()}
		o.Name = v.Name
		return updateObject(tx, o, v)
	})
}

// DeleteServer deletes a server with its scopes, claims, policies and keys. The
// default server stays.
func (s *Service) DeleteServer(ctx context.Context, c Change, serverID string) error {
	if serverID == DefaultServer {
		return ErrSystem
	}
	if serverID == OrgServer {
		return ErrNotFound
	}
	target := events.Target{ID: serverID, Type: "AuthorizationServer"}
	return s.change(ctx, c, "oauth2.as.deleted", target, func(tx *sqldb.Tx) error {
		return deleteObject(tx, kindServer, serverID)
	})
}
