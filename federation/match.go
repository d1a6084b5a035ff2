package federation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/schemas"
)

// match finds the one user that a name means, or returns directory.ErrNotFound.
// Several are a *Denied.
func (s *Service) match(ctx context.Context, idp IdP, name userName) (*match, error) {
	if idp.Policy.Subject.MatchType != MatchEmail {
		u, err := s.byLogin(ctx, name.value)
		if err == nil {
			return s.describe(ctx, idp, u)
		}
		if idp.Policy.Subject.MatchType == MatchUsername || !errors.Is(err, directory.ErrNotFound) {
			return nil, err
		}
	}
	u, err := s.byEmail(ctx, name.value)
	if err != nil {
		return nil, err
	}
	m, err := s.describe(ctx, idp, u)
	if err == nil && !m.unproven {
		m.unproven, err = s.unvouched(ctx, u, name.value)
	}
	return m, err
}

// byLogin wants the whole login: the short form that a person may type proves nothing
// when another system writes it.
func (s *Service) byLogin(ctx context.Context, name string) (*directory.User, error) {
	u, err := s.Directory.UserByLogin(ctx, name)
	if err != nil {
		return nil, err
	}
	profile, err := s.Directory.Profile(u)
	if err != nil {
		return nil, err
	}
	login, _ := profile["login"].(string)
	if schemas.FoldLogin(login) != schemas.FoldLogin(name) {
		return nil, directory.ErrNotFound
	}
	return u, nil
}

// byEmail finds the only user with an address.
func (s *Service) byEmail(ctx context.Context, address string) (*directory.User, error) {
	typ, ok := s.Directory.Schemas().Type("User")
	if !ok {
		return nil, errors.New("the schema has no type User")
	}
	quoted, err := json.Marshal(address) // a filter's strings are JSON (RFC 7644, section 3.4.2.2)
	if err != nil {
		return nil, err
	}
	filter, err := typ.ParseFilter("emails.value eq "+string(quoted), schemas.Generic)
	if err != nil {
		return nil, denied(badName, "the name is no address")
	}
	page, err := s.Directory.List(ctx, "User", directory.ListQuery{Filter: filter, Count: 2, NoTotal: true})
	if err != nil {
		return nil, err
	}
	switch len(page.Users) {
	case 0:
		return nil, directory.ErrNotFound
	case 1:
		return page.Users[0], nil
	}
	return nil, denied(noMatch, "several users have the address")
}

// unvouched reports whether an address of a user was put there by somebody who is not
// known to know that it is theirs: a client of SCIM could hand the account to whoever
// owns the address (ADV-56).
func (s *Service) unvouched(ctx context.Context, u *directory.User, address string) (bool, error) {
	profile, err := s.Directory.Profile(u)
	if err != nil {
		return false, err
	}
	for _, attr := range []string{"email", "secondEmail"} {
		if v, _ := profile[attr].(string); strings.EqualFold(v, address) {
			vouched, err := s.Directory.Vouched(ctx, u, attr)
			return !vouched, err
		}
	}
	return true, nil
}

func (s *Service) describe(ctx context.Context, idp IdP, u *directory.User) (*match, error) {
	m := &match{userID: u.ID}
	groups, err := s.Directory.GroupsOf(ctx, u.ID)
	if err != nil {
		return nil, fmt.Errorf("groups of %s: %w", u.ID, err)
	}
	for _, g := range groups {
		m.groups = append(m.groups, g.ID)
	}
	m.admin = slices.Contains(m.groups, s.Directory.AdministratorsID())
	err = s.DB.QueryRow(ctx, `SELECT
		EXISTS (SELECT 1 FROM idp_links WHERE user_id = $1 AND proof = $2),
		EXISTS (SELECT 1 FROM idp_links WHERE user_id = $1 AND idp_id = $3)`,
		u.ID, proofUnverified, idp.ID).Scan(&m.unproven, &m.taken)
	if err != nil {
		return nil, fmt.Errorf("links of %s: %w", u.ID, err)
	}
	return m, nil
}
