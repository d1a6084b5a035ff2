package oidc

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"golang.org/x/oauth2"

	"github.com/provost-id/provost/federation"
)

const maxUserInfo = 256 << 10 // bytes

// protocolClaims are said by the ID token alone: userinfo is not signed.
var protocolClaims = []string{
	"iss", "sub", "aud", "exp", "iat", "nbf", "nonce", "azp", "at_hash", "c_hash", "auth_time", "acr", "amr", "jti", "sid",
}

// addUserInfo merges the claims of the userinfo endpoint into those of the ID token
// (OpenID Connect Core 1.0, section 5.3). A subject that differs means a token that
// was swapped, and ends the sign-in.
func (c *Client) addUserInfo(ctx context.Context, p *provider, token *oauth2.Token, claims map[string]any) error {
	if p.userInfo == "" || token.AccessToken == "" {
		return nil
	}
	body, err := fetch(ctx, c.HTTP, p.userInfo, token.AccessToken, maxUserInfo)
	if err != nil {
		return fmt.Errorf("%w: userinfo: %w", ErrUnreachable, err)
	}
	var info map[string]any
	if err := json.Unmarshal(body, &info); err != nil {
		return reject("userinfo", "is no JSON object")
	}
	if sub, _ := info["sub"].(string); sub == "" || sub != claims["sub"] {
		return reject("userinfo", "is about another subject")
	}
	merge(claims, info)
	return nil
}

// merge lets userinfo speak last. Whether an address is verified belongs to the
// address it came with, and never moves to another.
func merge(claims, info map[string]any) {
	for _, name := range protocolClaims {
		delete(info, name)
	}
	if _, ok := info["email"]; ok {
		delete(claims, "email_verified")
	} else {
		delete(info, "email_verified")
	}
	for name, v := range info {
		claims[name] = v
	}
}

// assertion is what the proven claims say, in the words of every protocol.
func assertion(idp federation.IdP, claims map[string]any) federation.Assertion {
	a := federation.Assertion{IdPID: idp.ID, Claims: claims}
	a.Issuer, _ = claims["iss"].(string)
	a.Subject, _ = claims["sub"].(string)
	if at, ok := claims["auth_time"].(float64); ok {
		a.AuthTime = time.Unix(int64(at), 0).UTC()
	}
	if methods, ok := claims["amr"].([]any); ok {
		for _, m := range methods {
			if s, ok := m.(string); ok {
				a.AMR = append(a.AMR, s)
			}
		}
	}
	return a
}
