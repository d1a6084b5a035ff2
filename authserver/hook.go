package authserver

import (
	"context"
	"maps"
	"net/http"
	"strings"
	"time"

	"github.com/ory/fosite"

	"github.com/provost-id/provost/internal/httpapi"
	"github.com/provost-id/provost/plugins"
)

// callHook lets the hook of the matched rule change the tokens before they are signed.
// Whether a failure is open or closed is the dispatcher's to say, and it reports what
// became of the call: an error that arrives here is closed.
func (s *Service) callHook(ctx context.Context, hr *http.Request, r fosite.AccessRequester) error {
	ts := sessionOf(r)
	if ts.terms.HookID == "" {
		return nil
	}
	var resp *plugins.TokenResponse
	err := plugins.ErrUnknownHook
	payload := s.hookRequest(ctx, hr, r)
	if s.Hook != nil {
		resp, err = s.Hook.Token(ctx, payload)
	}
	if err == nil && resp != nil && resp.Error != nil {
		err = resp.Error
	}
	if err != nil {
		return oauthError("server_error", http.StatusBadRequest, "%s", plugins.Description(err))
	}
	// The maps of the payload stay as the hook saw them: it may still hold them.
	identity, access, _ := plugins.ApplyToken(payload, resp) // the dispatcher has reported the problems
	if access != nil {
		ts.access, ts.lifetime.access = maps.Clone(access.Claims), time.Duration(access.Token.Lifetime.Expiration)*time.Second
	}
	if identity != nil {
		ts.identity, ts.lifetime.identity = maps.Clone(identity.Claims), time.Duration(identity.Token.Lifetime.Expiration)*time.Second
	}
	return nil
}

// hookRequest is the payload of the contract.
func (s *Service) hookRequest(ctx context.Context, hr *http.Request, r fosite.AccessRequester) *plugins.TokenRequest {
	ts, c := sessionOf(r), r.GetClient().(*Client)
	tokenURL := s.endpoint(ts.server, "token")
	q := &plugins.TokenRequest{HookID: ts.terms.HookID, Envelope: plugins.Envelope{Source: tokenURL}}
	q.Data.Context = plugins.TokenContext{
		Request: plugins.Request{
			ID: httpapi.RequestID(ctx), Method: hr.Method, IPAddress: httpapi.ClientIP(ctx).String(),
			URL: plugins.RequestURL{Value: tokenURL},
		},
		Protocol: plugins.Protocol{
			Type: "OAUTH2.0", Issuer: plugins.Issuer{URI: ts.server.Issuer},
			Client:  plugins.Client{ID: c.ID, Name: c.Name, Type: c.hookType()},
			Request: plugins.OAuthRequest{Scope: strings.Join(ts.scopes, " "), ClientID: c.ID, GrantType: r.GetRequestForm().Get("grant_type")},
		},
		Policy: plugins.Policy{ID: ts.terms.PolicyID, Rule: plugins.PolicyRule{ID: ts.terms.RuleID}},
	}
	q.Data.Access = &plugins.Token{
		Claims: ts.access, Token: lifetime(ts.lifetime.access), Scopes: ts.server.hookScopes(ts.scopes),
	}
	if ts.identity != nil {
		q.Data.Identity = &plugins.Token{Claims: ts.identity, Token: lifetime(ts.lifetime.identity)}
	}
	if ts.refresh != nil {
		q.Data.RefreshToken = &plugins.RefreshToken{JTI: ts.refresh.ID}
	}
	if ts.grant != nil {
		s.hookPerson(q, ts)
	}
	return q
}

func lifetime(d time.Duration) plugins.TokenSettings {
	return plugins.TokenSettings{Lifetime: plugins.Lifetime{Expiration: int(d / time.Second)}}
}

func (srv *server) hookScopes(scopes []string) map[string]plugins.ScopeGrant {
	out := map[string]plugins.ScopeGrant{}
	for _, name := range scopes {
		if sc := srv.scopes[name]; sc != nil {
			out[name] = plugins.ScopeGrant{ID: sc.ID, Action: "GRANT"}
		}
	}
	return out
}

// hookPerson adds user, session and the authorization that the tokens go back to. A
// refresh has no session any more.
func (s *Service) hookPerson(q *plugins.TokenRequest, ts *tokenSession) {
	g, p := ts.grant, ts.person
	q.Data.Context.User = &plugins.User{
		ID: p.ID, PasswordChanged: hookTime(p.PasswordChanged),
		Profile: plugins.UserProfile{
			Login: p.Login, FirstName: p.attribute("firstName"), LastName: p.attribute("lastName"),
			Locale: p.attribute("locale"), TimeZone: p.attribute("timezone"),
		},
		Links: &plugins.UserLinks{
			Groups:  plugins.Link{Href: s.PublicURL + "/api/v1/users/" + p.ID + "/groups"},
			Factors: plugins.Link{Href: s.PublicURL + "/api/v1/users/" + p.ID + "/factors"},
		},
	}
	authorization := plugins.OAuthRequest{
		Scope: strings.Join(g.Scopes, " "), State: g.State, RedirectURI: g.RedirectURI, ResponseMode: g.ResponseMode,
		ResponseType: "code", ClientID: g.ClientID,
	}
	if ts.old != nil {
		q.Data.Context.Protocol.OriginalGrant = &plugins.OriginalGrant{
			Authorization: authorization, RefreshToken: plugins.RefreshToken{JTI: ts.old.ID},
		}
		return
	}
	authorization.GrantType = grantCode
	q.Data.Context.Protocol.Request = authorization
	q.Data.Context.Session = hookSession(g, p, s.organisation())
}

func hookSession(g *grant, p *Person, organisation string) *plugins.Session {
	out := &plugins.Session{
		ID: g.SessionID, UserID: p.ID, Login: p.Login, Status: "ACTIVE", AMR: []string{},
		CreatedAt: hookTime(g.AuthTime), ExpiresAt: hookTime(g.SessionExpires),
		IdP: plugins.SessionIdP{ID: g.IdP, Type: "FEDERATION"}, MFAActive: len(g.AMR) > 1,
	}
	if g.IdP == "" {
		out.IdP = plugins.SessionIdP{ID: organisation, Type: "OKTA"}
	}
	for _, m := range g.AMR {
		if m == "pwd" {
			m, out.LastPasswordVerification = "PASSWORD", hookTime(g.AuthTime)
		}
		out.AMR = append(out.AMR, strings.ToUpper(m))
	}
	return out
}

func hookTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(plugins.TimeFormat)
}
