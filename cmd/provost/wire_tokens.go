package main

import (
	"context"
	"errors"

	"github.com/provost-id/provost/authserver"
	"github.com/provost-id/provost/authserver/session"
	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/plugins"
)

// wireTokens makes the authorization servers.
func (p *program) wireTokens(ctx context.Context) (err error) {
	p.sessions = &session.Store{DB: p.db, Keys: p.keys, Secure: p.secure()}
	p.authserver, err = authserver.New(ctx, authserver.Options{
		DB: p.db, Keys: p.keys, Sessions: p.sessions, People: people{p.directory}, Assignments: assignments{p.directory}, Apps: p.directory,
		Hook: p.dispatcher, HookExists: p.tokenHookExists, Profile: p.directory.UserObject, PublicURL: p.cfg.PublicURL, Log: p.log,
	})
	p.hooks.InUse = p.authserver.HookInUse
	p.sessions.OnEnd = p.authserver.EndSession
	p.directory.AttributeUses = append(p.directory.AttributeUses, p.authserver.UsesOfAttribute)
	return err
}

func (p *program) tokenHookExists(ctx context.Context, hookID string) (bool, error) {
	return p.hooks.Exists(ctx, hookID, plugins.TypeToken)
}

// people shows the directory's users to the token service.
type people struct{ dir *directory.Directory }

// Person implements authserver.People.
func (p people) Person(ctx context.Context, userID string) (*authserver.Person, error) {
	u, err := p.dir.User(ctx, userID)
	if errors.Is(err, directory.ErrNotFound) {
		return nil, authserver.ErrNoPerson
	}
	if err != nil {
		return nil, err
	}
	r, err := p.dir.Resource(u)
	if err != nil {
		return nil, err
	}
	verified, err := p.dir.Vouched(ctx, u, "email")
	if err != nil {
		return nil, err
	}
	groups, err := p.dir.GroupsOf(ctx, userID)
	if err != nil {
		return nil, err
	}
	person := &authserver.Person{
		ID: u.ID, Login: r.Hot().UserName, Active: u.Status == directory.Active,
		EmailVerified: verified, Modified: u.Modified, PasswordChanged: u.PasswordChanged, Profile: r.Profile(),
	}
	for _, g := range groups {
		person.Groups = append(person.Groups, authserver.Group{ID: g.ID, Name: g.Name})
		person.Administrator = person.Administrator || g.ID == p.dir.AdministratorsID()
	}
	return person, nil
}

// assignments says who is assigned to a client: a client is an app of the same ID.
type assignments struct{ dir *directory.Directory }

// Assigned implements authserver.Assignments.
func (a assignments) Assigned(ctx context.Context, clientID, userID string) (bool, error) {
	u, err := a.dir.AppUser(ctx, clientID, userID)
	if errors.Is(err, directory.ErrNotFound) {
		return false, nil
	}
	return err == nil && u.Assigned, err
}
