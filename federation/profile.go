package federation

import (
	"errors"
	"maps"
	"reflect"
	"slices"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/schemas"
)

// newUserTx makes the user of a JIT sign-in: active, without a password, and without
// anything but its profile.
func (s *Service) newUserTx(tx *sqldb.Tx, p *plan, c directory.Change) (*directory.User, error) {
	r, err := s.resource(p)
	if err != nil {
		return nil, err
	}
	c.Mappings, c.MappingVersion = p.profile.sources, p.profile.version
	u, err := s.Directory.CreateUserTx(tx, c, r, directory.CreateOptions{Status: directory.Active})
	if errors.Is(err, directory.ErrConflict) {
		return nil, errRace // made since the decision
	}
	return u, err
}

// resource builds the profile of a new user. A value that our schema does not take is
// left out, unless it is required.
func (s *Service) resource(p *plan) (*schemas.Resource, error) {
	typ, ok := s.Directory.Schemas().Type("User")
	if !ok {
		return nil, errors.New("the schema has no type User")
	}
	required := map[string]any{"login": p.name.value}
	for _, b := range typ.Base() {
		v, ok := p.profile.values[b.Name]
		if !b.Required || b.Name == "login" {
			continue
		}
		if !ok {
			return nil, notCreated(jitMissing, b.Name)
		}
		required[b.Name] = v
	}
	r, err := typ.FromProfile(required)
	if err != nil {
		return nil, notCreated(badValue(err), err.Error())
	}
	for _, name := range slices.Sorted(maps.Keys(p.profile.values)) {
		next := r.Clone()
		if err := next.SetProfile(map[string]any{name: p.profile.values[name]}); err != nil {
			p.profile.problems = append(p.profile.problems, err.Error())
			continue
		}
		r = next
	}
	return r, nil
}

// badValue is the failure of a required value that our schema does not take.
func badValue(err error) failure {
	var e *schemas.Error
	if errors.As(err, &e) && (e.Path == "login" || e.Path == "userName") {
		return jitBadLogin
	}
	return jitPattern
}

// refreshTx writes what the provider says anew of a user that is there. An attribute
// that another source owns, or a value that our schema does not take, is left as it is.
func (s *Service) refreshTx(tx *sqldb.Tx, p *plan, c directory.Change, u *directory.User) error {
	news, err := s.news(p, u)
	if err != nil {
		return err
	}
	c.Mappings, c.MappingVersion = p.profile.sources, p.profile.version
	for len(news) > 0 {
		_, err := s.Directory.UpdateProfileTx(tx, c, u.ID, news)
		var owned *directory.OwnedError
		if !errors.As(err, &owned) {
			return err
		}
		if _, ok := news[owned.Attr]; !ok {
			return err
		}
		delete(news, owned.Attr)
		p.profile.problems = append(p.profile.problems, owned.Error())
	}
	return nil
}

// news are the values that differ from the user's and that our schema takes.
func (s *Service) news(p *plan, u *directory.User) (map[string]any, error) {
	r, err := s.Directory.Resource(u)
	if err != nil {
		return nil, err
	}
	now, news := r.Profile(), map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(p.profile.values)) {
		value := p.profile.values[name]
		if reflect.DeepEqual(now[name], value) {
			continue
		}
		if err := r.Clone().SetProfile(map[string]any{name: value}); err != nil {
			p.profile.problems = append(p.profile.problems, err.Error())
			continue
		}
		news[name] = value
	}
	return news, nil
}
