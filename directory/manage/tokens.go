package manage

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/provost-id/provost/internal/apitoken"
	"github.com/provost-id/provost/internal/httpapi"
	"github.com/provost-id/provost/schemas"
)

// defaultTTL is how long a token lives when its maker does not say.
const defaultTTL = 30 * 24 * time.Hour

// tokenBody is an API token. Token is the secret, shown once, by create.
type tokenBody struct {
	ID      string   `json:"id"`
	Name    string   `json:"name"`
	Scopes  []string `json:"scopes"`
	UserID  string   `json:"userId,omitempty"`
	Dialect string   `json:"dialect,omitempty"`
	Created *string  `json:"created"`
	Expires *string  `json:"expiresAt"`
	Token   string   `json:"token,omitempty"`
}

func bodyOf(t apitoken.Token) tokenBody {
	return tokenBody{
		ID: t.ID, Name: t.Name, Scopes: t.Scopes, UserID: t.UserID, Dialect: t.Dialect,
		Created: httpapi.Stamp(t.Created), Expires: httpapi.Stamp(t.Expires),
	}
}

type tokenList struct{ Body []tokenBody }

func (h *handlers) listTokens(ctx context.Context, _ *struct{}) (*tokenList, error) {
	all, err := h.tokens.List(ctx)
	if err != nil {
		return nil, err
	}
	out := &tokenList{Body: []tokenBody{}}
	for _, t := range all {
		out.Body = append(out.Body, bodyOf(t))
	}
	return out, nil
}

type createTokenInput struct {
	Body struct {
		Name    string   `json:"name"`
		Scopes  []string `json:"scopes"`
		UserID  string   `json:"userId"`
		Dialect string   `json:"dialect"`
		TTL     string   `json:"ttl" doc:"As 24h; 720h when left out."`
	}
}

type tokenOutput struct{ Body tokenBody }

func (h *handlers) createToken(ctx context.Context, in *createTokenInput) (*tokenOutput, error) {
	n := apitoken.NewToken{Name: in.Body.Name, Scopes: in.Body.Scopes, UserID: in.Body.UserID, Dialect: in.Body.Dialect, TTL: defaultTTL}
	if strings.ContainsRune(n.Name, 0) { // no database keeps it
		return nil, httpapi.Invalid("name", "name: NUL is no character of a name")
	}
	if _, ok := schemas.DialectByName(n.Dialect); !ok {
		return nil, httpapi.Invalid("dialect", "dialect: want generic, strict, entra or okta")
	}
	if in.Body.TTL != "" {
		var err error
		if n.TTL, err = time.ParseDuration(in.Body.TTL); err != nil {
			return nil, httpapi.Invalid("ttl", "ttl: want a duration as 24h")
		}
	}
	if owner := httpapi.Caller(ctx).UserID; owner != "" { // ADV-84: what a person makes ends with their rights
		if n.UserID != "" && n.UserID != owner {
			return nil, httpapi.Forbidden()
		}
		n.UserID = owner
	}
	if n.UserID != "" {
		if _, err := h.dir.User(ctx, n.UserID); err != nil {
			return nil, apiError(err, "", n.UserID, "User")
		}
	}
	secret, t, err := h.tokens.Create(ctx, httpapi.Caller(ctx).Actor(), n)
	if errors.Is(err, apitoken.ErrInvalid) {
		return nil, httpapi.Invalid("apiToken", err.Error())
	}
	if err != nil {
		return nil, err
	}
	b := bodyOf(t)
	b.Token = secret
	return &tokenOutput{Body: b}, nil
}

func (h *handlers) revokeToken(ctx context.Context, in *httpapi.ByID) (*empty, error) {
	return nil, apiError(h.tokens.Revoke(ctx, httpapi.Caller(ctx).Actor(), in.ID), "", in.ID, "ApiToken")
}
