package authserver

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/provost-id/provost/internal/id"
)

// prepareClaims fills the claims of the tokens, but for the times.
func (s *Service) prepareClaims(ctx context.Context, ts *tokenSession, c *Client) error {
	ts.lifetime.access, ts.lifetime.identity = ts.terms.Access, idTokenLifetime
	ts.access = s.accessClaims(ts, c)
	if err := s.addClaims(ctx, ts.access, ClaimAccess, ts, c, false); err != nil {
		return err
	}
	if ts.grant == nil || !slices.Contains(ts.scopes, scopeOpenID) {
		return nil
	}
	ts.identity = s.identityClaims(ts, c)
	return s.addClaims(ctx, ts.identity, ClaimIdentity, ts, c, false)
}

// accessClaims are the claims of every access token. The jti ends in the ID of the
// grant, by which the token dies with its family; a token for a client itself has none.
func (s *Service) accessClaims(ts *tokenSession, c *Client) map[string]any {
	claims := map[string]any{
		"ver": 1, "jti": "AT." + id.Secret(secretLength), "iss": ts.server.Issuer, "aud": ts.server.audience(),
		"cid": c.ID, "client_id": c.ID, "sub": c.ID, "scp": ts.scopes, // client_id: RFC 9068, section 2.2
	}
	if ts.grant != nil {
		claims["jti"] = claims["jti"].(string) + "." + ts.grant.ID
		claims["uid"], claims["sub"] = ts.person.ID, ts.person.Login
		claims["auth_time"] = ts.grant.AuthTime.Unix()
	}
	return claims
}

// audience of the access tokens: the org server's own is the issuer.
func (srv *server) audience() string {
	if srv.isOrg() {
		return srv.Issuer
	}
	return srv.Audiences[0]
}

// identityClaims are the claims of every ID token (OpenID Connect Core, section 2).
// An access token comes with it, so of the profile there is little: userinfo has all.
func (s *Service) identityClaims(ts *tokenSession, c *Client) map[string]any {
	claims := map[string]any{
		"ver": 1, "jti": "ID." + id.Secret(secretLength), "iss": ts.server.Issuer, "aud": c.ID, "sub": ts.person.ID,
		"auth_time": ts.grant.AuthTime.Unix(), "amr": ts.grant.AMR, "idp": ts.grant.IdP,
	}
	if ts.grant.AMR == nil {
		claims["amr"] = []string{}
	}
	if ts.grant.IdP == "" {
		claims["idp"] = s.organisation()
	}
	if ts.grant.Nonce != "" && ts.old == nil {
		claims["nonce"] = ts.grant.Nonce
	}
	all := profileClaims(ts.person, ts.scopes)
	for _, name := range thinClaims {
		if v, ok := all[name]; ok {
			claims[name] = v
		}
	}
	return claims
}

// thinClaims of the profile stand in an ID token that comes with an access token.
var thinClaims = []string{"name", "preferred_username", "email", "email_verified"}

// organisation is the ID that stands for this organisation as its own identity
// provider: the same for as long as the master key is.
func (s *Service) organisation() string {
	const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	var b strings.Builder
	b.WriteString(id.Organisation)
	for _, n := range s.Keys.Derive("organisation-id")[:17] {
		b.WriteByte(digits[int(n)%len(digits)])
	}
	return b.String()
}

// addClaims evaluates the configured claims of a type. In a token an identity claim
// appears only when it is always included; userinfo has the others.
func (s *Service) addClaims(ctx context.Context, into map[string]any, claimType string, ts *tokenSession, c *Client, userinfo bool) error {
	var vars map[string]any
	for i := range ts.server.claims {
		claim := &ts.server.claims[i]
		if !claim.applies(claimType, ts.scopes, userinfo) {
			continue
		}
		if vars == nil {
			vars = claimVars(ts.person, c, ts.scopes)
		}
		v, err := claim.evaluate(ctx, vars, ts.person)
		if err != nil {
			s.Log.WarnContext(ctx, "claim could not be evaluated", "authorization_server", ts.server.ID, "claim", claim.Name, "error", err)
			return oauthError("server_error", http.StatusBadRequest, "The '%s' user claim could not be evaluated.", claim.Name)
		}
		if v != nil {
			into[claim.Name] = v
		}
	}
	return nil
}

func (c *compiledClaim) applies(claimType string, scopes []string, userinfo bool) bool {
	if c.ClaimType != claimType || c.Status != Active || c.ValueType == ValueSystem {
		return false
	}
	if claimType == ClaimIdentity && !userinfo && !c.AlwaysIncludeInToken {
		return false
	}
	return len(c.Conditions.Scopes) == 0 ||
		slices.ContainsFunc(c.Conditions.Scopes, func(s string) bool { return slices.Contains(scopes, s) })
}

func claimVars(p *Person, c *Client, scopes []string) map[string]any {
	vars := map[string]any{
		"user": map[string]any{}, "appuser": nil, "groups": []string{},
		"app":    map[string]any{"clientId": c.ID, "name": c.Name},
		"access": map[string]any{"scope": scopes},
	}
	if p != nil {
		user := map[string]any{"id": p.ID, "status": "ACTIVE"} // nobody else gets a token
		maps.Copy(user, p.Profile)
		vars["user"], vars["groups"] = user, groupNames(p)
		vars["appuser"] = map[string]any{"userName": p.Login}
	}
	return vars
}

func groupNames(p *Person) []string {
	names := make([]string, len(p.Groups))
	for i, g := range p.Groups {
		names[i] = g.Name
	}
	return names
}

func (c *compiledClaim) evaluate(ctx context.Context, vars map[string]any, p *Person) (any, error) {
	switch {
	case c.fault != nil:
		return nil, c.fault
	case c.ValueType == ValueExpression:
		return c.program.Eval(ctx, vars)
	case p == nil:
		return nil, nil // a claim about groups says nothing about a client
	}
	names := []string{}
	for _, g := range p.Groups {
		if c.matches(g.Name) {
			names = append(names, g.Name)
		}
	}
	return names, nil
}

// matches compares as the filter type says: ignoring case, but for REGEX.
func (c *compiledClaim) matches(group string) bool {
	have, want := strings.ToLower(group), strings.ToLower(c.Value)
	switch c.GroupFilterType {
	case FilterStartsWith:
		return strings.HasPrefix(have, want)
	case FilterEquals:
		return have == want
	case FilterContains:
		return strings.Contains(have, want)
	}
	return c.pattern.MatchString(group)
}
