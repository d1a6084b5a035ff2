package federation

import (
	"context"
	"errors"
	"fmt"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/sqldb"
)

// Visit is the request in which somebody signs in.
type Visit struct {
	Request string // request ID
	// Then runs in the transaction of the decision, after it let the user in: it
	// starts the session. Its error undoes link, user and profile.
	Then func(tx *sqldb.Tx, userID string) error
}

// errRace is returned inside a transaction whose decision no longer holds.
var errRace = errors.New("the decision no longer holds")

// decisions is how often a decision is made anew when another sign-in of the same
// person, or an administrator, was faster.
const decisions = 3

// SignIn lets the person of an assertion in, or returns a *Denied. Link, new user,
// profile, groups and what v.Then does are one transaction: nothing is ever half
// linked.
func (s *Service) SignIn(ctx context.Context, a Assertion, v Visit) (string, error) {
	var err error
	for range decisions {
		var userID string
		userID, err = s.trySignIn(ctx, a, v)
		if !errors.Is(err, errRace) && !errors.Is(err, ErrConflict) {
			return userID, err
		}
	}
	return "", fmt.Errorf("sign in through %s: %w", a.IdPID, err)
}

func (s *Service) trySignIn(ctx context.Context, a Assertion, v Visit) (string, error) {
	idp, err := s.ActiveIdP(ctx, a.IdPID)
	if errors.Is(err, ErrNotFound) {
		return "", denied(noIdP, "")
	}
	if err != nil {
		return "", err
	}
	p, err := s.plan(ctx, idp, a)
	if err != nil {
		return "", err
	}
	err = s.DB.Write(ctx, func(tx *sqldb.Tx) error {
		if err := s.admitTx(tx, p, v); err != nil {
			return err
		}
		return v.Then(tx, p.userID)
	})
	if err != nil {
		return "", err
	}
	return p.userID, nil
}

// plan is a decision with everything that it needs from outside the transaction.
type plan struct {
	idp     IdP
	a       Assertion
	action  action
	name    userName
	userID  string // empty until the user is made
	profile captured
	groups  groupChange
}

// plan decides, and evaluates expressions before the transaction begins.
func (s *Service) plan(ctx context.Context, idp IdP, a Assertion) (*plan, error) {
	p := &plan{idp: idp, a: a}
	f, err := s.facts(ctx, idp, a)
	if err != nil {
		return nil, err
	}
	var no *Denied
	if p.action, no = decide(idp.Policy, f); no != nil {
		return nil, no
	}
	p.name, p.userID = f.name, f.linked
	if p.action == link {
		p.userID = f.match.userID
	}
	if p.action == create || idp.Policy.RefreshesProfile() {
		if p.profile, err = s.capture(ctx, idp, a, p.action == create); err != nil {
			return nil, err
		}
	}
	p.groups, err = s.planGroups(ctx, idp, a, p.userID)
	return p, err
}

// facts gathers what the decision rests on.
func (s *Service) facts(ctx context.Context, idp IdP, a Assertion) (facts, error) {
	f := facts{email: a.Email(), verified: a.EmailVerified()}
	var err error
	if f.linked, err = s.linked(ctx, a); err != nil || f.linked != "" {
		return f, err
	}
	if f.name, err = idp.Policy.Subject.name(ctx, a); err != nil {
		return f, err
	}
	if f.match, err = s.match(ctx, idp, f.name); errors.Is(err, directory.ErrNotFound) {
		return f, nil
	}
	if err == nil {
		// Another sign-in of the same person may have made this very user since.
		f.linked, err = s.linked(ctx, a)
	}
	return f, err
}

// change is the author of what a sign-in writes.
func (p *plan) change(v Visit) directory.Change {
	return directory.Change{
		Actor:   events.Actor{ID: p.idp.ID, Type: "IdP", Name: p.idp.Name},
		Request: v.Request,
		Source:  directory.Source{Kind: directory.SourceJIT, ID: p.idp.ID},

		VerifiesEmail: p.a.EmailVerified() && p.profile.values["email"] == p.a.Email(),
	}
}

// admitTx carries the plan out.
func (s *Service) admitTx(tx *sqldb.Tx, p *plan, v Visit) error {
	c := p.change(v)
	by := By{Actor: c.Actor, Request: c.Request}
	if p.action == create {
		return s.createTx(tx, p, c, by)
	}
	u, err := s.standingTx(tx, p, c)
	if err != nil {
		return err
	}
	if p.action == link {
		err = s.insertLinkTx(tx, by, p.link(u.ID, s), proofMatched)
	} else {
		err = s.seenTx(tx, p.a, u.ID)
	}
	if err != nil {
		return err
	}
	if err := s.refreshTx(tx, p, c, u); err != nil {
		return err
	}
	return s.finishTx(tx, p, c, by)
}

func (p *plan) link(userID string, s *Service) Link {
	now := s.now()
	return Link{
		IdPID: p.a.IdPID, Issuer: p.a.Issuer, Subject: p.a.Subject, UserID: userID,
		Created: now, Updated: now, LastSeen: now, Claims: p.a.Claims,
	}
}

func (s *Service) createTx(tx *sqldb.Tx, p *plan, c directory.Change, by By) error {
	u, err := s.newUserTx(tx, p, c)
	if err != nil {
		return err
	}
	proof := proofUnverified
	if p.a.EmailVerified() {
		proof = proofVerified
	}
	p.userID = u.ID
	if err := s.insertLinkTx(tx, by, p.link(u.ID, s), proof); err != nil {
		return err
	}
	return s.finishTx(tx, p, c, by)
}

// standingTx reads the user and brings it to life again where the policy says so.
func (s *Service) standingTx(tx *sqldb.Tx, p *plan, c directory.Change) (*directory.User, error) {
	u, err := s.Directory.UserTx(tx, p.userID)
	if errors.Is(err, directory.ErrNotFound) {
		return nil, errRace
	}
	if err != nil {
		return nil, err
	}
	on := p.idp.Policy.Provisioning.Conditions
	switch {
	case u.Status == directory.Active:
		return u, nil
	case u.Status == directory.Deprovisioned && on.Deprovisioned.Action == Reactivate:
		return s.Directory.SetStatusTx(tx, c, u.ID, directory.Activate)
	case u.Status == directory.Suspended && on.Suspended.Action == Unsuspend:
		return s.Directory.SetStatusTx(tx, c, u.ID, directory.Unsuspend)
	}
	return nil, denied(badStatus, string(u.Status))
}

// finishTx does what every admission ends with: groups, the time, the log.
func (s *Service) finishTx(tx *sqldb.Tx, p *plan, c directory.Change, by By) error {
	if err := s.groupsTx(tx, p, c); err != nil {
		return err
	}
	ev := events.Event{
		Type: "user.authentication.auth_via_IDP", Time: s.now(), Request: by.Request,
		Actor:   events.Actor{ID: p.userID, Type: "User"},
		Targets: []events.Target{{ID: p.userID, Type: "User"}, idpTarget(p.idp)},
	}
	if len(p.profile.problems) > 0 {
		ev.Detail = map[string]any{"unchanged": p.profile.problems}
	}
	return events.Append(tx, ev)
}
