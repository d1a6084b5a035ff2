package authserver

import (
	"context"
	"crypto/sha256"
	"errors"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/provost-id/provost/internal/sqldb"
)

// maxAssertionAge is how far ahead an assertion may expire: the table of used ones is
// bounded by it.
const maxAssertionAge = time.Hour

// assertionAlgs are the algorithms of client assertions: asymmetric ones only.
var assertionAlgs = []jose.SignatureAlgorithm{
	jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512, jose.ES256, jose.ES384, jose.ES512, jose.EdDSA,
}

var errAssertion = invalidClient("The client_assertion is invalid.")

// byAssertion authenticates a client by private_key_jwt (RFC 7523, section 3).
// Everything is verified first; then one insert spends the jti, which is the client's.
func (s *Service) byAssertion(ctx context.Context, srv *server, cred credential) (*Client, error) {
	if len(cred.assertion) > maxJWT {
		return nil, errAssertion
	}
	token, err := jwt.ParseSigned(cred.assertion, assertionAlgs)
	if err != nil {
		return nil, errAssertion
	}
	var unverified jwt.Claims
	if err := token.UnsafeClaimsWithoutVerification(&unverified); err != nil {
		return nil, errAssertion
	}
	c, err := s.Client(ctx, unverified.Subject)
	if errors.Is(err, ErrNotFound) || err == nil && (c.AuthMethod != authPrivateKey || cred.id != "" && cred.id != c.ID) {
		return nil, errAssertion
	}
	if err != nil {
		return nil, err
	}
	claims, ok := verifyAssertion(token, c)
	if !ok || !s.acceptableAssertion(srv, c, claims) {
		return nil, errAssertion
	}
	return c, s.spendAssertion(ctx, c, claims)
}

// verifyAssertion tries the client's keys: those with the kid of the header, if it
// has one.
func verifyAssertion(token *jwt.JSONWebToken, c *Client) (jwt.Claims, bool) {
	h := token.Headers[0]
	for _, k := range c.keys {
		if h.KeyID != "" && k.KeyID != h.KeyID || k.Algorithm != "" && k.Algorithm != h.Algorithm || k.Use == "enc" {
			continue
		}
		var claims jwt.Claims
		if token.Claims(k.Key, &claims) == nil {
			return claims, true
		}
	}
	return jwt.Claims{}, false
}

// acceptableAssertion: issuer and subject are the client, the audience is this server's
// token endpoint or issuer, and it expires within the hour.
func (s *Service) acceptableAssertion(srv *server, c *Client, claims jwt.Claims) bool {
	now := s.now()
	audience := slices.ContainsFunc(claims.Audience, func(a string) bool {
		return a == srv.Issuer || a == s.endpoint(srv, "token")
	})
	return claims.Issuer == c.ID && claims.Subject == c.ID && audience &&
		claims.ID != "" && claims.Expiry != nil && now.Before(claims.Expiry.Time()) &&
		!claims.Expiry.Time().After(now.Add(maxAssertionAge)) &&
		(claims.NotBefore == nil || !claims.NotBefore.Time().After(now.Add(clockSkew))) &&
		(claims.IssuedAt == nil || !claims.IssuedAt.Time().After(now.Add(clockSkew)))
}

func (s *Service) spendAssertion(ctx context.Context, c *Client, claims jwt.Claims) error {
	jti := sha256.Sum256([]byte(claims.ID)) // of any length outside, of one length here
	return s.DB.Write(ctx, func(tx *sqldb.Tx) error {
		res, err := tx.Exec(`INSERT INTO oauth_assertions (client_id, jti, expires) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
			c.ID, jti[:], micros(claims.Expiry.Time()))
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 1 {
			return err
		}
		return errAssertion
	})
}
