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
	ID      string          `json:"id"`
	Name    string          `json:"name"`
	Scopes  []string        `json:"scopes"`
	UserID  string          `json:"userId,omitempty"`
	Dialect string          `json:"dialect" doc:"SCIM client profile; auto tells it by the requests."`
	Limits  *httpapi.Limits `json:"limits,omitempty" doc:"What the token is limited to over SCIM."`
	// Reactivates lets the client bring back, by a POST, whom it has deactivated.
	Reactivates bool `json:"reactivates,omitempty" doc:"A POST may bring back whom this client has deactivated."`
	// VerifiesEmail says that the mail addresses that the client sets are known to be theirs.
	VerifiesEmail bool `json:"verifiesEmail,omitempty" doc:"The mail addresses that this client sets count as verified."`
	// Detected is what they gave away last, so that it can be pinned.
	Detected string  `json:"detectedDialect,omitempty"`
	Created  *string `json:"created"`
	Expires  *string `json:"expiresAt"`
	Token    string  `json:"token,omitempty"`
}

func bodyOf(t apitoken.Token) tokenBody {
	dialect := t.Dialect
	if dialect == "" {
		dialect = schemas.AutoDialect
	}
	return tokenBody{
		ID: t.ID, Name: t.Name, Scopes: t.Scopes, UserID: t.UserID, Dialect: dialect, Detected: t.Detected, Limits: t.Limits,
		Reactivates: t.Reactivates, VerifiesEmail: t.VerifiesEmail, Created: httpapi.Stamp(t.Created), Expires: httpapi.Stamp(t.Expires),
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
		Name          string          `json:"name"`
		Scopes        []string        `json:"scopes"`
		UserID        string          `json:"userId"`
		Dialect       string          `json:"dialect"`
		TTL           string          `json:"ttl" doc:"As 24h; 720h when left out."`
		Limits        *httpapi.Limits `json:"limits"`
		Reactivates   bool            `json:"reactivates"`
		VerifiesEmail bool            `json:"verifiesEmail"`
	}
}

type tokenOutput struct{ Body tokenBody }

func (h *handlers) createToken(ctx context.Context, in *createTokenInput) (*tokenOutput, error) {
	n := apitoken.NewToken{Name: in.Body.Name, Scopes: in.Body.Scopes, UserID: in.Body.UserID, TTL: defaultTTL}
	if strings.ContainsRune(n.Name, 0) { // no database keeps it
		return nil, httpapi.Invalid("name", "name: NUL is no character of a name")
	}
	var err error
	n.Limits, n.Reactivates, n.VerifiesEmail = in.Body.Limits, in.Body.Reactivates, in.Body.VerifiesEmail
	if n.Dialect, err = pinned(in.Body.Dialect); err != nil {
		return nil, err
	}
	if in.Body.TTL != "" {
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
	if err != nil {
		return nil, tokenError(err, "")
	}
	b := bodyOf(t)
	b.Token = secret
	return &tokenOutput{Body: b}, nil
}

// pinned is a dialect as a token keeps it: empty for the one that requests give away.
func pinned(dialect string) (string, error) {
	name, ok := schemas.PinnedDialect(dialect)
	if !ok {
		return "", httpapi.Invalid("dialect", "dialect: want one of "+strings.Join(schemas.DialectNames(), ", "))
	}
	return name, nil
}

type updateTokenInput struct {
	httpapi.ByID
	Body httpapi.RawBody
}

// updateToken changes how the client of a token is dealt with; its secret, name and
// scopes stay.
func (h *handlers) updateToken(ctx context.Context, in *updateTokenInput) (*tokenOutput, error) {
	changes, err := readTokenSettings(in.Body)
	if err != nil {
		return nil, err
	}
	t, err := h.tokens.Update(ctx, httpapi.Caller(ctx).Actor(), in.ID, func(s *apitoken.Settings) {
		for _, change := range changes {
			change(s)
		}
	})
	if err != nil {
		return nil, tokenError(err, in.ID)
	}
	return &tokenOutput{Body: bodyOf(t)}, nil
}

// readTokenSettings reads what a body changes. A member that is not a setting is
// refused: to ignore it would promise what nothing does.
func readTokenSettings(body httpapi.RawBody) (changes []func(*apitoken.Settings), err error) {
	for name := range body {
		switch name {
		case "dialect":
			var dialect string
			if _, err := body.Field(name, &dialect); err != nil {
				return nil, err
			}
			if dialect, err = pinned(dialect); err != nil {
				return nil, err
			}
			changes = append(changes, func(s *apitoken.Settings) { s.Dialect = dialect })
		case "reactivates":
			var reactivates bool
			if _, err := body.Field(name, &reactivates); err != nil {
				return nil, err
			}
			changes = append(changes, func(s *apitoken.Settings) { s.Reactivates = reactivates })
		case "verifiesEmail":
			var verifies bool
			if _, err := body.Field(name, &verifies); err != nil {
				return nil, err
			}
			changes = append(changes, func(s *apitoken.Settings) { s.VerifiesEmail = verifies })
		case "limits":
			var limits *httpapi.Limits
			if _, err := body.Field(name, &limits); err != nil {
				return nil, err
			}
			changes = append(changes, func(s *apitoken.Settings) { s.Limits = limits })
		default:
			return nil, httpapi.Invalid(name, name+": an API token has no such setting that can be changed")
		}
	}
	return changes, nil
}

func tokenError(err error, id string) error {
	if errors.Is(err, apitoken.ErrInvalid) {
		return httpapi.Invalid("apiToken", err.Error())
	}
	return apiError(err, "", id, "ApiToken")
}

func (h *handlers) revokeToken(ctx context.Context, in *httpapi.ByID) (*empty, error) {
	return nil, apiError(h.tokens.Revoke(ctx, httpapi.Caller(ctx).Actor(), in.ID), "", in.ID, "ApiToken")
}
