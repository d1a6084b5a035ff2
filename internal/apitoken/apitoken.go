// Package apitoken makes and checks API tokens: secrets of 42 characters that begin
// with 00, stored as a keyed hash only. What a scope allows is left to the surfaces.
package apitoken

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/httpapi"
	"github.com/provost-id/provost/internal/id"
	"github.com/provost-id/provost/internal/keyring"
	"github.com/provost-id/provost/internal/sqldb"
)

// Errors of the store.
var (
	ErrNotFound = errors.New("API token not found")
	ErrInvalid  = errors.New("invalid API token") // what Create was given; the text says what
)

const (
	// prefix and length are those of an SSWS token; 40 characters are 238 random bits.
	prefix = "00"
	length = 42
	// purpose of the keyed hash.
	purpose = "api-token"
)

var scopes = []string{httpapi.ScopeSCIM, httpapi.ScopeSCIMRead, httpapi.ScopeManage, httpapi.ScopeManageRead}

// Store keeps the tokens of one organisation.
type Store struct {
	DB   *sqldb.DB
	Keys *keyring.Ring
	Now  func() time.Time // time.Now when nil
	// Administrator says whether a user is one now: a token of somebody who is not
	// opens nothing. Nil lets every token of a user live.
	Administrator func(ctx context.Context, userID string) (bool, error)
	// CheckLimits says what is wrong with limits; nil takes all.
	CheckLimits func(ctx context.Context, l *httpapi.Limits) error

	once  sync.Once // guards the making of known.tokens
	known known
	noted sync.Map // when NoteDialect last wrote, by token ID
}

// NewToken is what Create makes.
type NewToken struct {
	Name   string        // for people; required
	Scopes []string      // at least one, of httpapi's
	UserID string        // the user whose rights end with it; empty for none
	TTL    time.Duration // more than zero
	Settings
}

// Settings are how a SCIM client with a token is dealt with; they can be changed.
type Settings struct {
	Dialect string // SCIM client profile; empty to tell it by the requests
	// Limits narrow what the token opens over SCIM; nil for nothing. It must not have the
	// scope manage or manage.read, which would open the same by another door.
	Limits *httpapi.Limits
	// Reactivates and VerifiesEmail are those of httpapi.Principal.
	Reactivates, VerifiesEmail bool
}

func (s Settings) check(scopes []string) error {
	if s.Limits.Empty() {
		return nil
	}
	for _, scope := range scopes {
		if scope != httpapi.ScopeSCIM && scope != httpapi.ScopeSCIMRead {
			return fmt.Errorf("%w: limits hold over SCIM only; a token with the scope %s has none", ErrInvalid, scope)
		}
	}
	return nil
}

func (n NewToken) check() error {
	if strings.TrimSpace(n.Name) == "" {
		return fmt.Errorf("%w: a name is required", ErrInvalid)
	}
	if n.TTL <= 0 {
		return fmt.Errorf("%w: the lifetime must be more than zero", ErrInvalid)
	}
	if len(n.Scopes) == 0 {
		return fmt.Errorf("%w: a scope is required, of %s", ErrInvalid, strings.Join(scopes, ", "))
	}
	for _, s := range n.Scopes {
		if !slices.Contains(scopes, s) {
			return fmt.Errorf("%w: no scope is named %q, only %s", ErrInvalid, s, strings.Join(scopes, ", "))
		}
	}
	return n.Settings.check(n.Scopes)
}

// Token is a token without its secret.
type Token struct {
	ID, Name string
	Scopes   []string
	UserID   string
	Created  time.Time
	Expires  time.Time
	Settings
	// Detected is the SCIM client profile that its requests gave away last.
	Detected string
}

func (t Token) principal() httpapi.Principal {
	return httpapi.Principal{
		ID: t.ID, Name: t.Name, Type: "Token", UserID: t.UserID, Scopes: t.Scopes, Dialect: t.Dialect, Detected: t.Detected,
		Limits: t.Limits, Reactivates: t.Reactivates, VerifiesEmail: t.VerifiesEmail,
	}
}

func (t Token) target() events.Target { return events.Target{ID: t.ID, Type: "Token", Name: t.Name} }

func (s *Store) now() time.Time {
	if s.Now == nil {
		return time.Now()
	}
	return s.Now()
}

func newSecret() string { return prefix + id.Secret(length-len(prefix)) }
