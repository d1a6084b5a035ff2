package provisioning

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/provost-id/provost/directory"
)

// Attributes that refer to people (manager) hold the person's address at the app. In
// the profile that expressions see they hold our own user ID instead, in both
// directions, so that a mapping says manager: user.managerId and nothing more.

// references are the attributes of an object type that refer to people.
func references(t ObjectType) []Attribute {
	return slices.DeleteFunc(slices.Clone(t.Attributes), func(a Attribute) bool { return a.Type != "reference" })
}

// resolveRefs replaces addresses at an app by our user IDs. One that belongs to nobody
// here is left out.
func (e *Engine) resolveRefs(ctx context.Context, t *target, typ ObjectType, profile map[string]any) error {
	for _, a := range references(typ) {
		name, ok := profile[a.Name].(string)
		if !ok {
			continue
		}
		userID, err := e.Dir.UserIDByRemoteName(ctx, t.app.ID, name)
		if err == nil && userID == "" {
			userID, err = e.Dir.UserIDByExternalID(ctx, t.app.ID, name)
		}
		if err != nil {
			return err
		}
		if userID == "" {
			delete(profile, a.Name)
			continue
		}
		profile[a.Name] = userID
	}
	return nil
}

// addressRefs replaces our user IDs by what names the people at an app: the identifier
// for a reference that is matched exactly (SCIM), the address for another (LDAP). One
// that has no account there is left out, so that the target keeps what it has.
func (e *Engine) addressRefs(ctx context.Context, t *target, typ ObjectType, profile map[string]any) error {
	for _, a := range references(typ) {
		userID, ok := profile[a.Name].(string)
		if !ok {
			continue
		}
		account, err := e.Dir.AppUser(ctx, t.app.ID, userID)
		if errors.Is(err, directory.ErrNotFound) || err == nil && account.ExternalID == "" {
			delete(profile, a.Name)
			continue
		}
		if err != nil {
			return err
		}
		profile[a.Name] = account.RemoteName
		if a.Match == MatchExact {
			profile[a.Name] = account.ExternalID
		}
	}
	return nil
}

// refers reports whether an object refers to somebody whom a mapping reads.
func refers(typ ObjectType, o Object, m *compiledMapping) bool {
	return slices.ContainsFunc(references(typ), func(a Attribute) bool {
		return len(o.Attributes[a.RemoteName()]) > 0 && m.reads(a.Name)
	})
}

// reads reports whether a mapping reads an attribute of its source.
func (m *compiledMapping) reads(attr string) bool {
	for _, p := range m.source.Properties {
		for _, in := range p.Inputs {
			if _, name, ok := strings.Cut(in, "."); ok && name == attr {
				return true
			}
		}
	}
	return false
}
