package manage

import (
	"context"
	"time"

	"github.com/provost-id/provost/federation"
	"github.com/provost-id/provost/internal/httpapi"
)

// Input is the body of a create or a replace.
type Input struct {
	Name string `json:"name" doc:"Unique, 1 to 100 characters."`
	Type string `json:"type" doc:"OIDC."`
	federation.Config
}

func (in Input) idp(idpID string) federation.IdP {
	return federation.IdP{ID: idpID, Name: in.Name, Type: in.Type, Config: in.Config}
}

// Body is an identity provider as the API shows it.
type Body struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	Type        string `json:"type"`
	Status      string `json:"status"`
	Created     string `json:"created"`
	LastUpdated string `json:"lastUpdated"`
	federation.Config
	Links map[string]link `json:"_links"`
}

type link struct {
	Href      string `json:"href"`
	Templated bool   `json:"templated,omitempty"`
	Hints     *hints `json:"hints,omitempty"`
}

type hints struct {
	Allow []string `json:"allow"`
}

func stamp(t time.Time) string { return t.UTC().Format(httpapi.TimeFormat) }

func body(ctx context.Context, i federation.IdP) *Body {
	base := httpapi.PublicURL(ctx)
	self := base + "/api/v1/idps/" + i.ID
	post, get := &hints{[]string{"POST"}}, &hints{[]string{"GET"}}
	b := &Body{
		ID: i.ID, Name: i.Name, Type: i.Type, Status: i.Status, Created: stamp(i.Created), LastUpdated: stamp(i.Updated),
		Config: i.Config,
		Links: map[string]link{
			"self":              {Href: self, Hints: &hints{[]string{"GET", "PUT", "DELETE"}}},
			"users":             {Href: self + "/users", Hints: get},
			"authorize":         {Href: base + "/oauth2/v1/authorize?idp=" + i.ID + "&client_id={clientId}&response_type={responseType}&response_mode={responseMode}&scope={scopes}&redirect_uri={redirectUri}&state={state}&nonce={nonce}", Templated: true, Hints: get},
			"clientRedirectUri": {Href: base + "/oauth2/v1/authorize/callback", Hints: post},
		},
	}
	b.Protocol.Credentials.Client.Secret = "" // write-only
	if i.Status == federation.Active {
		b.Links["deactivate"] = link{Href: self + "/lifecycle/deactivate", Hints: post}
	} else {
		b.Links["activate"] = link{Href: self + "/lifecycle/activate", Hints: post}
	}
	return b
}

// UserBody is a user of an identity provider.
type UserBody struct {
	ID          string          `json:"id"`
	ExternalID  string          `json:"externalId"`
	Created     string          `json:"created"`
	LastUpdated string          `json:"lastUpdated"`
	Profile     map[string]any  `json:"profile" doc:"The claims of the last sign-in."`
	Links       map[string]link `json:"_links"`
}

func userBody(ctx context.Context, l federation.Link) *UserBody {
	base := httpapi.PublicURL(ctx) + "/api/v1"
	return &UserBody{
		ID: l.UserID, ExternalID: l.Subject, Created: stamp(l.Created), LastUpdated: stamp(l.Updated), Profile: l.Claims,
		Links: map[string]link{
			"self": {Href: base + "/idps/" + l.IdPID + "/users/" + l.UserID, Hints: &hints{[]string{"GET", "DELETE"}}},
			"idp":  {Href: base + "/idps/" + l.IdPID},
			"user": {Href: base + "/users/" + l.UserID},
		},
	}
}
