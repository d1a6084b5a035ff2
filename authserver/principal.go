package authserver

import (
	"context"
	"errors"
	"strings"

	"github.com/provost-id/provost/internal/httpapi"
)

var _ httpapi.Authenticator = (*Service)(nil)

// Authenticate implements httpapi.Authenticator for access tokens of the org server:
// its audience, live, with a scope of the product's APIs. The person behind it must
// still be active and, but for the scope of their own resource, an administrator, and
// the client must still have the scope.
func (s *Service) Authenticate(ctx context.Context, token string) (httpapi.Principal, error) {
	if strings.Count(token, ".") != 2 {
		return httpapi.Principal{}, httpapi.ErrUnauthenticated
	}
	p, err := s.principal(ctx, token)
	if errors.Is(err, errToken) || errors.Is(err, ErrNotFound) || errors.Is(err, ErrNoPerson) {
		err = httpapi.ErrUnauthenticated
	}
	return p, err
}

func (s *Service) principal(ctx context.Context, token string) (httpapi.Principal, error) {
	none := httpapi.Principal{}
	srv, err := s.server(ctx, OrgServer)
	if err != nil {
		return none, err
	}
	claims, err := s.liveAccess(ctx, srv, token)
	if err != nil {
		return none, err
	}
	c, err := s.Client(ctx, stringClaim(claims, "cid"))
	if err != nil {
		return none, err
	}
	p := httpapi.Principal{ID: c.ID, Name: c.Name, Type: "Client", UserID: stringClaim(claims, "uid")}
	var person *Person
	if p.UserID != "" {
		if person, err = s.People.Person(ctx, p.UserID); err != nil {
			return none, err
		}
		if !person.Active {
			return none, errToken
		}
		p.Name = person.Login
	}
	for _, scope := range stringsClaim(claims, "scp") {
		if isAPIScope(scope) && hasWord(c.Scope, scope) && mayHave(person, scope) {
			p.Scopes = append(p.Scopes, scope)
		}
	}
	if claims["aud"] != srv.audience() || len(p.Scopes) == 0 {
		return none, errToken
	}
	return p, nil
}
