package manage

import (
	"context"
	"strings"

	"github.com/provost-id/provost/authserver"
	"github.com/provost-id/provost/internal/httpapi"
)

const serverType = "AuthorizationServer"

// serverBody is an authorization server with what follows from its keys and its place.
type serverBody struct {
	authserver.Server
	Credentials credentials     `json:"credentials"`
	Links       map[string]link `json:"_links"`
}

type credentials struct {
	Signing signing `json:"signing"`
}

type signing struct {
	KID          string `json:"kid"`
	RotationMode string `json:"rotationMode"`
	LastRotated  any    `json:"lastRotated,omitempty"`
}

type link struct {
	Href string `json:"href"`
}

type (
	serverInput struct {
		ID   string `path:"id"`
		Body authserver.Server
	}
	serverID struct {
		ID string `path:"id"`
	}
	serverOutput struct{ Body serverBody }
	serverQuery  struct {
		Q string `query:"q" doc:"Part of the name."`
	}
)

// body adds the active key of the access tokens and the links.
func (h *handlers) body(ctx context.Context, v authserver.Server) (serverBody, error) {
	keys, err := h.s.SigningKeys(ctx, v.ID)
	if err != nil {
		return serverBody{}, err
	}
	out := serverBody{Server: v, Credentials: credentials{signing{RotationMode: "MANUAL"}}}
	alg := v.AccessTokenAlg
	if alg == "" {
		alg = "ES256"
	}
	for _, k := range keys {
		if k["alg"] == alg && k["status"] == "ACTIVE" {
			out.Credentials.Signing.KID, _ = k["kid"].(string)
			out.Credentials.Signing.LastRotated = k["lastUpdated"]
		}
	}
	self := httpapi.PublicURL(ctx) + "/api/v1" + root + "/" + v.ID
	out.Links = map[string]link{
		"self": {self}, "scopes": {self + "/scopes"}, "claims": {self + "/claims"}, "policies": {self + "/policies"},
		"keys": {self + "/credentials/keys"}, "rotateKey": {self + "/credentials/lifecycle/keyRotate"},
		"metadata": {v.Issuer + "/.well-known/openid-configuration"},
	}
	return out, nil
}

func (h *handlers) answer(ctx context.Context, v authserver.Server, err error) (*serverOutput, error) {
	if err != nil {
		return nil, apiError(err, v.ID, serverType)
	}
	body, err := h.body(ctx, v)
	return &serverOutput{body}, err
}

func (h *handlers) listServers(ctx context.Context, in *serverQuery) (*httpapi.List[serverBody], error) {
	all, err := h.s.Servers(ctx)
	if err != nil {
		return nil, err
	}
	var out []serverBody
	for _, v := range all {
		if !strings.Contains(strings.ToLower(v.Name), strings.ToLower(in.Q)) {
			continue
		}
		body, err := h.body(ctx, v)
		if err != nil {
			return nil, err
		}
		out = append(out, body)
	}
	return httpapi.NewList(ctx, out, ""), nil
}

func (h *handlers) createServer(ctx context.Context, in *struct{ Body authserver.Server }) (*serverOutput, error) {
	v, err := h.s.CreateServer(ctx, change(ctx), in.Body)
	return h.answer(ctx, v, err)
}

func (h *handlers) readServer(ctx context.Context, in *serverID) (*serverOutput, error) {
	v, err := h.s.Server(ctx, in.ID)
	v.ID = in.ID
	return h.answer(ctx, v, err)
}

func (h *handlers) replaceServer(ctx context.Context, in *serverInput) (*serverOutput, error) {
	v, err := h.s.UpdateServer(ctx, change(ctx), in.ID, in.Body)
	v.ID = in.ID
	return h.answer(ctx, v, err)
}

func (h *handlers) deleteServer(ctx context.Context, in *serverID) (*struct{}, error) {
	return nil, apiError(h.s.DeleteServer(ctx, change(ctx), in.ID), in.ID, serverType)
}

func (h *handlers) serverStatus(status string) func(context.Context, *serverID) (*struct{}, error) {
	return func(ctx context.Context, in *serverID) (*struct{}, error) {
		return nil, apiError(h.s.SetServerStatus(ctx, change(ctx), in.ID, status), in.ID, serverType)
	}
}

func (h *handlers) listKeys(ctx context.Context, in *serverID) (*httpapi.List[authserver.Key], error) {
	keys, err := h.s.SigningKeys(ctx, in.ID)
	if err != nil {
		return nil, apiError(err, in.ID, serverType)
	}
	return httpapi.NewList(ctx, keys, ""), nil
}

type rotateInput struct {
	ID   string `path:"id"`
	Body struct {
		Use string `json:"use"`
	}
}

func (h *handlers) rotateKeys(ctx context.Context, in *rotateInput) (*httpapi.List[authserver.Key], error) {
	if in.Body.Use != "sig" {
		return nil, httpapi.Invalid("rotateKeys", "use: must be sig")
	}
	keys, err := h.s.RotateKeys(ctx, change(ctx), in.ID)
	if err != nil {
		return nil, apiError(err, in.ID, serverType)
	}
	return httpapi.NewList(ctx, keys, ""), nil
}
