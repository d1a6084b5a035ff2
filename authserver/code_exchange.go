package authserver

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/ory/fosite"

	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/sqldb"
)

// codeHandler exchanges a code (RFC 6749, section 4.1.3). fosite's own reads outside
// its transaction and turns a lost race into a server error; here the code is spent by
// a compare-and-set in the transaction that stores what it gives.
type codeHandler struct {
	s        *Service
	strategy *strategy
}

var _ fosite.TokenEndpointHandler = (*codeHandler)(nil)

// CanSkipClientAuth implements fosite.TokenEndpointHandler.
func (h *codeHandler) CanSkipClientAuth(context.Context, fosite.AccessRequester) bool { return false }

// CanHandleTokenEndpointRequest implements fosite.TokenEndpointHandler.
func (h *codeHandler) CanHandleTokenEndpointRequest(_ context.Context, r fosite.AccessRequester) bool {
	return r.GetGrantTypes().ExactOne(grantCode)
}

// HandleTokenEndpointRequest implements fosite.TokenEndpointHandler: it finds the
// code and checks what it is bound to.
func (h *codeHandler) HandleTokenEndpointRequest(ctx context.Context, r fosite.AccessRequester) error {
	if !h.CanHandleTokenEndpointRequest(ctx, r) {
		return fosite.ErrUnknownRequest
	}
	c := r.GetClient().(*Client)
	if !slices.Contains(c.GrantTypes, grantCode) {
		return unauthorizedGrant(c)
	}
	code := r.GetRequestForm().Get("code")
	_, err := h.s.store.GetAuthorizeCodeSession(ctx, h.strategy.AuthorizeCodeSignature(ctx, code), r.GetSession())
	ts := sessionOf(r)
	switch {
	case errors.Is(err, fosite.ErrInvalidatedAuthorizeCode):
		return h.s.spent(ctx, ts.grant, c)
	case errors.Is(err, fosite.ErrNotFound):
		return invalidGrant(textCode)
	case err != nil:
		return err
	}
	if h.strategy.ValidateAuthorizeCode(ctx, r, code) != nil {
		return invalidGrant(textCode)
	}
	if err := h.bound(r, ts.grant, c); err != nil {
		return h.burn(ctx, ts.grant, c, err)
	}
	ts.scopes = ts.grant.Scopes
	r.SetID(ts.grant.ID)
	for _, scope := range ts.scopes {
		r.GrantScope(scope)
	}
	return nil
}

// bound checks that a code is presented by whom it was given to, where it was given,
// and together with the verifier of its challenge.
func (h *codeHandler) bound(r fosite.AccessRequester, g *grant, c *Client) *Error {
	form := r.GetRequestForm()
	switch {
	case g.ClientID != c.ID:
		return invalidGrant(textOtherClient)
	case g.ServerID != h.strategy.srv.ID:
		return badRequest(textOtherServer)
	case (g.RedirectSent || form.Has("redirect_uri")) && form.Get("redirect_uri") != g.RedirectURI:
		return invalidGrant("The 'redirect_uri' does not match the redirection URI used in the authorization request.")
	}
	return checkVerifier(g.Challenge, form.Get("code_verifier"))
}

// checkVerifier: RFC 7636, section 4.6, with S256 alone. A verifier without a
// challenge is refused too: it tells of a downgrade (RFC 9700, section 4.8.2).
func checkVerifier(challenge, verifier string) *Error {
	switch {
	case challenge == "" && verifier == "":
		return nil
	case challenge != "" && verifier == "":
		return badRequest(textVerifier)
	case challenge == "" || !validVerifier(verifier):
		return invalidGrant(textPKCE)
	}
	sum := sha256.Sum256([]byte(verifier))
	got := base64.RawURLEncoding.EncodeToString(sum[:])
	if subtle.ConstantTimeCompare([]byte(got), []byte(challenge)) != 1 {
		return invalidGrant(textPKCE)
	}
	return nil
}

// validVerifier: 43 to 128 unreserved characters (RFC 7636, section 4.1).
func validVerifier(v string) bool {
	return len(v) >= 43 && len(v) <= 128 && strings.IndexFunc(v, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-._~", r))
	}) < 0
}

// burn spends a code that was presented by the wrong client, at the wrong place or
// without its verifier: somebody has it who should not.
func (h *codeHandler) burn(ctx context.Context, g *grant, c *Client, fault *Error) error {
	err := h.s.DB.Write(ctx, func(tx *sqldb.Tx) error {
		return h.s.revokeGrant(tx, g, "app.oauth2.as.authorize.code.misuse", fault.Description, clientActor(c))
	})
	if err != nil {
		return err
	}
	return fault
}

// spent: a code used twice revokes everything that it gave (RFC 6749, section 4.1.2).
func (s *Service) spent(ctx context.Context, g *grant, c *Client) error {
	err := s.DB.Write(ctx, func(tx *sqldb.Tx) error {
		return s.revokeGrant(tx, g, "app.oauth2.as.token.detect_reuse", "authorization code used twice", clientActor(c))
	})
	if err != nil {
		return err
	}
	return invalidGrant(textCode)
}

// PopulateTokenEndpointResponse implements fosite.TokenEndpointHandler: every token is
// built first, then one transaction spends the code and stores the rest.
func (h *codeHandler) PopulateTokenEndpointResponse(ctx context.Context, r fosite.AccessRequester, resp fosite.AccessResponder) error {
	if !h.CanHandleTokenEndpointRequest(ctx, r) {
		return fosite.ErrUnknownRequest
	}
	ts := sessionOf(r)
	answer, err := h.s.build(ctx, h.strategy, r)
	if err != nil {
		return err
	}
	ctx, err = h.s.store.BeginTX(ctx)
	if err != nil {
		return err
	}
	signature := h.strategy.AuthorizeCodeSignature(ctx, r.GetRequestForm().Get("code"))
	err = errors.Join(
		h.s.store.InvalidateAuthorizeCodeSession(ctx, signature),
		h.s.storeTokens(ctx, h.strategy, r),
	)
	if err != nil {
		return err
	}
	err = h.s.store.Commit(ctx)
	if errors.Is(err, fosite.ErrInvalidatedAuthorizeCode) {
		return h.s.spent(ctx, ts.grant, r.GetClient().(*Client))
	}
	if err != nil {
		return err
	}
	answer.populate(resp, h.s.now())
	return nil
}

func unauthorizedGrant(c *Client) error {
	return oauthError("unauthorized_client", http.StatusBadRequest,
		"The client is not authorized to use the provided grant type. Configured grant types: [%s].", strings.Join(c.GrantTypes, ", "))
}

func clientActor(c *Client) events.Actor {
	return events.Actor{ID: c.ID, Type: "Client", Name: c.Name}
}
