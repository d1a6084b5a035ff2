package federation

import (
	"context"
	"fmt"
	"maps"
	"strings"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/directory/mapping"
)

// defaults map the standard claims (OpenID Connect Core 1.0, section 5.1) to the base
// attributes.
var defaults = map[string]string{
	"email": "idpuser.email", "firstName": "idpuser.given_name", "lastName": "idpuser.family_name",
	"middleName": "idpuser.middle_name", "displayName": "idpuser.name", "nickName": "idpuser.nickname",
	"profileUrl": "idpuser.profile", "mobilePhone": "idpuser.phone_number", "timezone": "idpuser.zoneinfo",
	"locale": "idpuser.locale",
}

// defaultMappings are the pair of a new provider: every sign-in refreshes what it says.
func defaultMappings() directory.MappingDefaults {
	in := map[string]directory.Property{}
	for name, source := range defaults {
		in[name] = directory.Property{Expression: source, PushStatus: directory.Push}
	}
	return directory.MappingDefaults{In: in, Out: map[string]directory.Property{}}
}

// partner is a provider as one end of its mappings; the name is the kind of profile.
func partner(i IdP) directory.Partner {
	return directory.Partner{ID: i.ID, Name: strings.ToLower(i.Type), Type: directory.PartnerAppUser}
}

// compiled is a mapping ready to be applied, kept until the mapping changes.
type compiled struct {
	version int64
	program *mapping.Compiled
	sources map[string]string // expressions by attribute
}

// maxCompiled bounds the cache of mappings.
const maxCompiled = 256

// compiledFor returns the mapping of a provider. Compiling takes a millisecond for
// each attribute, reading the row a few microseconds.
func (s *Service) compiledFor(ctx context.Context, idp IdP) (compiled, error) {
	m, err := s.Directory.MappingFor(ctx, idp.ID, directory.UserPartner)
	if err != nil {
		return compiled{}, fmt.Errorf("mapping of %s: %w", idp.ID, err)
	}
	s.mu.Lock()
	known, ok := s.mappings[m.ID]
	s.mu.Unlock()
	if ok && known.version == m.Version {
		return known, nil
	}
	program, err := mapping.Compile(m, s.Directory.MappingEnv(m))
	if err != nil {
		return compiled{}, err
	}
	c := compiled{version: m.Version, program: program, sources: map[string]string{}}
	for name, p := range m.Properties {
		c.sources[name] = p.Expression
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mappings == nil || len(s.mappings) >= maxCompiled {
		s.mappings = map[string]compiled{}
	}
	s.mappings[m.ID] = c
	return c, nil
}

// captured is what a mapping makes of an assertion.
type captured struct {
	values   map[string]any
	sources  map[string]string
	version  int64    // of the mapping
	problems []string // attributes that were left as they are, and why
}

// capture evaluates the mapping of a provider. What the provider does not say stays as
// it is: a claim that is absent is no claim that the value is gone. The login is never
// taken from a mapping.
func (s *Service) capture(ctx context.Context, idp IdP, a Assertion, create bool) (captured, error) {
	c, err := s.compiledFor(ctx, idp)
	if err != nil {
		return captured{}, err
	}
	vars := map[string]any{
		"idpuser": a.Claims, "appuser": a.Claims,
		"app": map[string]any{"id": idp.ID, "name": partner(idp).Name, "label": idp.Name},
	}
	out, problems := c.program.Apply(ctx, vars, nil, create)
	maps.DeleteFunc(out, func(name string, v any) bool { return v == nil || name == "login" })
	got := captured{values: out, sources: c.sources, version: c.version}
	for _, p := range problems {
		got.problems = append(got.problems, p.String())
	}
	return got, nil
}
