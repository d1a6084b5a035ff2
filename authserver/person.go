package authserver

import (
	"context"
	"errors"
	"time"

	"github.com/provost-id/provost/internal/sqldb"
)

// ErrNoPerson is returned by People for an ID that names nobody.
var ErrNoPerson = errors.New("no such person")

// Person is what tokens say about a user, and what decides whether one is issued.
type Person struct {
	ID              string
	Login           string
	Active          bool // the status is ACTIVE: anything less gets no token
	Administrator   bool // member of the built-in group Administrators
	EmailVerified   bool // who set the mail address is known to know that it is theirs
	Modified        time.Time
	PasswordChanged time.Time
	Profile         map[string]any // the flat view: firstName, department, ...
	Groups          []Group
}

// Group is a group that a person is a member of.
type Group struct {
	ID   string
	Name string
}

func (p *Person) groupIDs() []string {
	ids := make([]string, len(p.Groups))
	for i, g := range p.Groups {
		ids[i] = g.ID
	}
	return ids
}

func (p *Person) attribute(name string) string {
	v, _ := p.Profile[name].(string)
	return v
}

// People finds a person as they are now.
type People interface {
	// Person returns ErrNoPerson for an ID that names nobody.
	Person(ctx context.Context, userID string) (*Person, error)
}

// Assignments says who is assigned to a client that does not admit everyone.
type Assignments interface {
	Assigned(ctx context.Context, clientID, userID string) (bool, error)
}

// ClientApps keeps an app of the same ID beside each client, to which people and
// groups are assigned; *directory.Directory implements it.
type ClientApps interface {
	// SetClientAppTx makes the app, or gives it the client's new name.
	SetClientAppTx(tx *sqldb.Tx, clientID, name string) error
	// DropClientAppTx removes the app with its assignments.
	DropClientAppTx(tx *sqldb.Tx, clientID string) error
}

// assigned: a client with implicit assignment admits all users.
func (s *Service) assigned(ctx context.Context, c *Client, userID string) (bool, error) {
	if c.implicit() {
		return true, nil
	}
	if s.Assignments == nil {
		return false, nil
	}
	return s.Assignments.Assigned(ctx, c.ID, userID)
}
