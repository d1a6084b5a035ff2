package authserver

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/provost-id/provost/authserver/policy"
)

// maxScope bounds the scope parameter in characters.
const maxScope = 1024

// orgTerms are those of the org server, which has no policies.
var orgTerms = terms{Access: time.Hour, RefreshWindow: defaultWindow * time.Minute}

// requestedScopes checks the scope parameter of a request and gives the default
// scopes to one that has none.
func (srv *server) requestedScopes(param, grantType string) ([]string, error) {
	if len(param) > maxScope {
		return nil, invalidScope("The 'scope' parameter is longer than %d characters.", maxScope)
	}
	scopes := unique(strings.Fields(param))
	if len(scopes) == 0 {
		for _, s := range srv.scopeList {
			if s.Default {
				scopes = append(scopes, s.Name)
			}
		}
	}
	if len(scopes) == 0 {
		return nil, invalidScope("The authorization server resource does not have any configured default scopes, 'scope' must be provided.")
	}
	return scopes, srv.checkScopes(scopes, grantType)
}

func (srv *server) checkScopes(scopes []string, grantType string) error {
	if slices.ContainsFunc(scopes, func(name string) bool { return srv.scopes[name] == nil }) {
		return invalidScope(textScope)
	}
	oidc := slices.ContainsFunc(scopes, isOIDCScope)
	if oidc && grantType == grantClientCredentials {
		return invalidScope("Cannot request 'openid' scopes using client credentials.")
	}
	if oidc && !slices.Contains(scopes, scopeOpenID) {
		return invalidScope("Requests for ID tokens or access tokens with OpenID scopes require the 'openid' scope.")
	}
	if grantType == grantClientCredentials {
		return srv.needsNoConsent(scopes)
	}
	return nil
}

// needsNoConsent: nobody can be asked for a client that acts for itself.
func (srv *server) needsNoConsent(scopes []string) error {
	var required []string
	for _, name := range scopes {
		if srv.scopes[name].Consent == ConsentRequired {
			required = append(required, name)
		}
	}
	if len(required) == 0 {
		return nil
	}
	return oauthError("consent_required", http.StatusBadRequest,
		"The following scopes require user consent and cannot be granted for the client credentials grant type: [%s].", strings.Join(required, ", "))
}

// decide asks the policies of the server, deny by default. p is nil when no person is
// behind the request.
func (srv *server) decide(c *Client, grantType string, p *Person, scopes []string) (terms, error) {
	if srv.isOrg() {
		return orgTerms, orgScopesFor(c, p, scopes)
	}
	m, ok := srv.policies.Evaluate(policyRequest(c, grantType, p, scopes))
	if !ok {
		return terms{}, accessDenied(http.StatusUnauthorized, textPolicy)
	}
	return termsOf(m), nil
}

func policyRequest(c *Client, grantType string, p *Person, scopes []string) policy.Request {
	q := policy.Request{ClientID: c.ID, GrantType: grantType, Scopes: scopes}
	if p != nil {
		q.UserID, q.Groups = p.ID, p.groupIDs()
	}
	return q
}

func termsOf(m policy.Match) terms {
	t := m.Rule.Token
	return terms{
		PolicyID: m.Policy.ID, RuleID: m.Rule.ID, HookID: t.HookID,
		Access: time.Duration(t.AccessMinutes) * time.Minute, Refresh: time.Duration(t.RefreshMinutes) * time.Minute,
		RefreshWindow: time.Duration(t.RefreshWindowMinutes) * time.Minute,
	}
}

// orgScopesFor: a scope of the product's own APIs goes to a client that was given it,
// and with a person behind it only when that person is an administrator. The scope of
// one's own resource goes to everybody, and to nobody without a person.
func orgScopesFor(c *Client, p *Person, scopes []string) error {
	var denied []string
	for _, name := range scopes {
		if isAPIScope(name) && (!hasWord(c.Scope, name) || !mayHave(p, name)) {
			denied = append(denied, name)
		}
	}
	switch {
	case len(denied) == 0:
		return nil
	case len(denied) == len(scopes):
		return accessDenied(http.StatusBadRequest, "Policy evaluation succeeded, but all the requested scopes were rejected.")
	}
	return accessDenied(http.StatusBadRequest, "Some of the requested scopes were denied by the policy. Denied scopes: [%s].", strings.Join(denied, ", "))
}

// mayHave says whether a person, nil for none, may stand behind a scope of the product's
// own APIs.
func mayHave(p *Person, scope string) bool {
	if needsAdministrator(scope) {
		return p == nil || p.Administrator
	}
	return p != nil
}

// hasWord reports whether a list separated by spaces has the word.
func hasWord(list, word string) bool { return slices.Contains(strings.Fields(list), word) }

func unique(list []string) []string {
	out := make([]string, 0, len(list))
	for _, v := range list {
		if !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}
