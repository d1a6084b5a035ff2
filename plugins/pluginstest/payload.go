package pluginstest

import "github.com/provost-id/provost/plugins"

// Names of the payloads of TokenRequests: one for each flow that mints tokens.
const (
	CodeFlow          = "token-code"               // authorization code: access, ID and refresh token
	RefreshFlow       = "token-refresh"            // refresh: OriginalGrant instead of a session
	ClientCredentials = "token-client-credentials" // no user, access token only
)

// TokenRequests returns one token payload for each flow, made anew at each call.
func TokenRequests() map[string]*plugins.TokenRequest {
	return map[string]*plugins.TokenRequest{
		CodeFlow:          codeFlow(),
		RefreshFlow:       refreshFlow(),
		ClientCredentials: clientCredentials(),
	}
}

const (
	issuer   = "https://id.example.com/oauth2/default"
	userID   = "00u1pGq2XkY7dTf3Zab1"
	clientID = "0oa1pGq0Rr5mVt8Kcd2E"
	refresh  = "oar1pGq3Hh9sWq6Mef3G"
)

func codeFlow() *plugins.TokenRequest {
	r := base("authorization_code")
	r.Data.Context.Session = session()
	r.Data.Context.User = user()
	r.Data.Context.Protocol.Request = plugins.OAuthRequest{
		Scope: "openid profile offline_access", State: "af0ifjsldkj", RedirectURI: "https://app.example.com/callback",
		ResponseMode: "query", ResponseType: "code", ClientID: clientID, GrantType: "authorization_code",
	}
	r.Data.Identity = identity()
	r.Data.Access = access("ada@example.com", userID, "openid", "profile", "offline_access")
	r.Data.RefreshToken = &plugins.RefreshToken{JTI: refresh}
	return r
}

func refreshFlow() *plugins.TokenRequest {
	r := codeFlow()
	original := r.Data.Context.Protocol.Request
	r.Data.Context.Session = nil
	r.Data.Context.Protocol.Request = plugins.OAuthRequest{ClientID: clientID, GrantType: "refresh_token"}
	r.Data.Context.Protocol.OriginalGrant = &plugins.OriginalGrant{
		Authorization: original, RefreshToken: plugins.RefreshToken{JTI: refresh},
	}
	return r
}

func clientCredentials() *plugins.TokenRequest {
	r := base("client_credentials")
	r.Data.Context.Protocol.Request.Scope = "reports.read"
	r.Data.Context.Protocol.Client.Type = "CONFIDENTIAL"
	r.Data.Access = access(clientID, "", "reports.read")
	return r
}

// base is what all payloads share.
func base(grant string) *plugins.TokenRequest {
	return &plugins.TokenRequest{
		Envelope: plugins.Envelope{
			EventID: "7Q3XJH2VZK5M4N6P", EventTime: "2026-03-14T09:26:53.589Z", EventType: plugins.TypeToken,
			EventTypeVersion: "1.0", CloudEventVersion: "0.1", ContentType: "application/json", Source: issuer + "/v1/token",
		},
		Data: plugins.TokenData{Context: plugins.TokenContext{
			Request: plugins.Request{
				ID: "req1pGq3a4TzN8Lgh4J5", Method: "POST",
				URL: plugins.RequestURL{Value: issuer + "/v1/token"}, IPAddress: "203.0.113.7",
			},
			Protocol: plugins.Protocol{
				Type: "OAUTH2.0", Request: plugins.OAuthRequest{ClientID: clientID, GrantType: grant},
				Issuer: plugins.Issuer{URI: issuer}, Client: plugins.Client{ID: clientID, Name: "Example", Type: "PUBLIC"},
			},
			Policy: plugins.Policy{ID: "00p1pGpzLk2jHb9Nij5K", Rule: plugins.PolicyRule{ID: "0pr1pGpzMm3kJc8Pkl6M"}},
		}},
	}
}

func session() *plugins.Session {
	return &plugins.Session{
		ID: "1021pGq1Nn4pKd7Qmn7P", UserID: userID, Login: "ada@example.com",
		CreatedAt: "2026-03-14T09:26:40.000Z", ExpiresAt: "2026-03-14T21:26:40.000Z", Status: "ACTIVE",
		LastPasswordVerification: "2026-03-14T09:26:40.000Z", AMR: []string{"PASSWORD"},
		IdP: plugins.SessionIdP{ID: "00o1pGpy1Aa2bCc3Dde4", Type: "OKTA"},
	}
}

func user() *plugins.User {
	href := "https://id.example.com/api/v1/users/" + userID
	return &plugins.User{
		ID: userID, PasswordChanged: "2026-01-02T03:04:05.000Z",
		Profile: plugins.UserProfile{
			Login: "ada@example.com", FirstName: "Ada", LastName: "Lovelace", Locale: "en-GB", TimeZone: "Europe/London",
		},
		Links: &plugins.UserLinks{Groups: plugins.Link{Href: href + "/groups"}, Factors: plugins.Link{Href: href + "/factors"}},
	}
}

func identity() *plugins.Token {
	return &plugins.Token{
		Claims: plugins.Claims{
			"sub": userID, "ver": 1, "iss": issuer, "aud": clientID, "jti": "ID.K3v9Qe2YpR7sXt1Z", "amr": []any{"pwd"},
			"idp": "00o1pGpy1Aa2bCc3Dde4", "nonce": "n-0S6_WzA2Mj", "auth_time": 1773480400,
			"name": "Ada Lovelace", "preferred_username": "ada@example.com",
			"address": map[string]any{"locality": "London", "country": "GB"},
		},
		Token: plugins.TokenSettings{Lifetime: plugins.Lifetime{Expiration: 3600}},
	}
}

func access(sub, uid string, scopes ...string) *plugins.Token {
	t := &plugins.Token{
		Claims: plugins.Claims{
			"ver": 1, "jti": "AT.m8W2uC5xJ6bD4hLk", "iss": issuer, "aud": "api://default", "cid": clientID, "sub": sub,
			"roles": []any{"reader"},
		},
		Token:  plugins.TokenSettings{Lifetime: plugins.Lifetime{Expiration: 3600}},
		Scopes: map[string]plugins.ScopeGrant{},
	}
	granted := []any{}
	for _, s := range scopes {
		granted = append(granted, s)
		t.Scopes[s] = plugins.ScopeGrant{ID: "scp_" + s, Action: "GRANT"}
	}
	t.Claims["scp"] = granted
	if uid != "" {
		t.Claims["uid"] = uid
	}
	return t
}
