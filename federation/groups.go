package federation

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/internal/sqldb"
)

// groupChange is what a sign-in does to the memberships of a user.
type groupChange struct{ join, leave []string }

// planGroups decides it. Only ordinary groups are touched, and for APPEND and SYNC only
// those that the filter names: the provider has no word in any other.
func (s *Service) planGroups(ctx context.Context, idp IdP, a Assertion, userID string) (groupChange, error) {
	g := idp.Policy.Provisioning.Groups
	var change groupChange
	var candidates []string
	asserted := map[string]bool{}
	switch g.Action {
	case Assign:
		candidates = g.Assignments
	case Append, Sync:
		candidates = g.Filter
		for _, name := range names(a.Claims[g.SourceAttributeName]) {
			asserted[strings.ToLower(name)] = true
		}
	default:
		return change, nil
	}
	member, err := s.memberships(ctx, userID)
	if err != nil {
		return change, err
	}
	for _, groupID := range candidates {
		name, ok, err := s.ordinary(ctx, groupID)
		if err != nil {
			return change, err
		}
		wanted := g.Action == Assign || asserted[strings.ToLower(name)]
		switch {
		case !ok:
		case wanted && !slices.Contains(member, groupID):
			change.join = append(change.join, groupID)
		case !wanted && g.Action == Sync && slices.Contains(member, groupID):
			change.leave = append(change.leave, groupID)
		}
	}
	return change, nil
}

// memberships are the groups that a user is a member of itself: a sign-in has no word in
// what these are in.
func (s *Service) memberships(ctx context.Context, userID string) ([]string, error) {
	if userID == "" {
		return nil, nil
	}
	refs, err := s.Directory.GroupsOf(ctx, userID)
	if err != nil {
		return nil, fmt.Errorf("groups of %s: %w", userID, err)
	}
	var ids []string
	for _, r := range refs {
		if !r.Indirect {
			ids = append(ids, r.ID)
		}
	}
	return ids, nil
}

// ordinary returns the name of a group that may be touched; ok is false for every other.
func (s *Service) ordinary(ctx context.Context, groupID string) (name string, ok bool, err error) {
	g, err := s.Directory.Group(ctx, groupID)
	if errors.Is(err, directory.ErrNotFound) {
		return "", false, nil // removed since the policy was written
	}
	if err != nil {
		return "", false, err
	}
	typ, known := s.Directory.Schemas().Type("Group")
	if !known || g.Type != directory.OrdinaryGroup {
		return "", false, nil
	}
	r, err := typ.Decode(g.Doc)
	if err != nil {
		return "", false, fmt.Errorf("document of %s: %w", groupID, err)
	}
	return r.DisplayName(), true, nil
}

// names reads the claim that lists groups: an array of strings, or one string.
func names(claim any) []string {
	switch v := claim.(type) {
	case string:
		return []string{v}
	case []any:
		var all []string
		for _, e := range v {
			if name, ok := e.(string); ok {
				all = append(all, name)
			}
		}
		return all
	}
	return nil
}

func (s *Service) groupsTx(tx *sqldb.Tx, p *plan, c directory.Change) error {
	for _, groupID := range p.groups.join {
		if err := gone(s.Directory.AddMemberTx(tx, c, groupID, p.userID)); err != nil {
			return err
		}
	}
	for _, groupID := range p.groups.leave {
		if err := gone(s.Directory.RemoveMemberTx(tx, c, groupID, p.userID)); err != nil {
			return err
		}
	}
	return nil
}

// gone forgives a group that was removed since the plan.
func gone(err error) error {
	if errors.Is(err, directory.ErrNotFound) {
		return nil
	}
	return err
}
