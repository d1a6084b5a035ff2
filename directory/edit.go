package directory

import (
	"context"
	"maps"
	"slices"

	"github.com/provost-id/provost/internal/id"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/schemas"
)

// ProfileEdit is a change by the flat profile. A nil value removes; Replace removes
// what is not named as well.
type ProfileEdit struct {
	Profile  map[string]any
	Replace  bool
	Password string // of a user; empty keeps
	// PasswordHash is a hash from EncodeHash, for a user who is STAGED; empty keeps.
	PasswordHash string
	// Strict holds the password to the minimum age and the history of the policy too.
	Strict bool
}

// apply returns the edited copy of a resource.
func (e ProfileEdit) apply(was *schemas.Resource) (*schemas.Resource, error) {
	profile := maps.Clone(e.Profile)
	if profile == nil {
		profile = map[string]any{}
	}
	if e.Replace {
		for name := range was.Profile() {
			m := was.Type.ProfileMutability(name) // what cannot be taken away is not meant
			if _, named := profile[name]; !named && m != schemas.ReadOnly && m != schemas.Immutable {
				profile[name] = nil
			}
		}
	}
	next := was.Clone()
	return next, next.SetProfile(profile)
}

// EditUser changes a user's profile and password in one transaction.
func (d *Directory) EditUser(ctx context.Context, c Change, id string, v IfMatch, e ProfileEdit) (*User, error) {
	password, err := d.editedPassword(ctx, id, e)
	if err != nil {
		return nil, err
	}
	c.Client = "" // a profile has no external ID
	return d.changeUser(ctx, c, id, v, password, e.apply)
}

func (d *Directory) editedPassword(ctx context.Context, id string, e ProfileEdit) (newPassword, error) {
	switch {
	case e.PasswordHash != "":
		if err := d.passwords.Check(e.PasswordHash); err != nil {
			return newPassword{}, err
		}
		return newPassword{hash: e.PasswordHash, imported: true}, nil
	case e.Password == "":
		return newPassword{}, nil
	}
	u, next, err := d.foresee(ctx, id, e.apply)
	if err != nil {
		return newPassword{}, err
	}
	how := byAdmin
	if e.Strict {
		how = strictly
	}
	return d.preparePassword(ctx, e.Password, next.Profile(), u, how)
}

// EditGroup changes a group's profile and leaves its members.
func (d *Directory) EditGroup(ctx context.Context, c Change, id string, v IfMatch, e ProfileEdit) (g *Group, err error) {
	c.Client = ""
	err = d.DB.Write(ctx, func(tx *sqldb.Tx) error {
		g, err = d.changeGroupTx(tx, c, id, v, groupChange{next: e.apply})
		return err
	})
	if err != nil {
		return nil, err
	}
	return g, nil
}

// temporaryPassword is the length of a password made here: 71 random bits.
const temporaryPassword = 12

// ExpireToTemporary gives a user a random password that must be changed at the next
// sign-in, and returns it.
func (d *Directory) ExpireToTemporary(ctx context.Context, c Change, userID string) (password string, err error) {
	password = id.Secret(temporaryPassword)
	p, err := d.PasswordPolicy(ctx)
	if err != nil {
		return "", err
	}
	// Nobody has chosen it, and nobody keeps it: the rules for people do not apply.
	n := newPassword{history: p.Settings.Age.HistoryCount}
	if n.hash, err = d.passwords.Hash(ctx, password); err != nil {
		return "", err
	}
	err = d.DB.Write(ctx, func(tx *sqldb.Tx) error {
		u, err := d.lockUserTx(tx, userID, c.Client)
		if err != nil {
			return err
		}
		t := transitions[ExpirePassword]
		if !slices.Contains(t.from, u.Status) {
			return &TransitionError{Op: ExpirePassword, From: u.Status}
		}
		_, err = d.storeUser(tx, c, userChange{old: u, password: n, status: t.to, lifecycle: t.event})
		return err
	})
	return password, err
}
