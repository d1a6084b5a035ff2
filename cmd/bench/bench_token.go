package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"

	"github.com/provost-id/provost/internal/story"
)

// tokenPayload is the size in bytes of what an access token's signature covers.
const tokenPayload = 420

// service is a client with client_credentials and a scope of its own.
type service struct{ id, secret string }

func (b *bench) newService(ctx context.Context) (service, error) {
	var c struct {
		ID     string `json:"client_id"`
		Secret string `json:"client_secret"`
	}
	err := b.ask(ctx, "POST", "/oauth2/v1/clients", `{"client_name":"bench","application_type":"service",
		"grant_types":["client_credentials"],"response_types":["token"],"token_endpoint_auth_method":"client_secret_basic"}`, &c)
	return service{c.ID, c.Secret}, err
}

func (b *bench) token(ctx context.Context) (row, error) {
	var scope json.RawMessage
	if err := b.ask(ctx, "POST", "/api/v1/authorizationServers/default/scopes", `{"name":"bench"}`, &scope); err != nil {
		return row{}, err
	}
	floor, err := startFloor(ctx, "sign", 0)
	if err != nil {
		return row{}, err
	}
	defer floor.stop()
	c, err := b.newService(ctx)
	if err != nil {
		return row{}, err
	}
	return b.compare(ctx, row{what: "token, client_credentials", floor: "a handler that only signs (ES256)"},
		b.tokens(c, b.server.PID(), b.server.URL+"/oauth2/default/v1/token"), b.tokens(c, floor.pid(), floor.url))
}

func (b *bench) tokens(c service, pid int, address string) func(context.Context) (result, error) {
	form := url.Values{"grant_type": {"client_credentials"}, "scope": {"bench"}}.Encode()
	req := &http.Request{Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}}
	req.SetBasicAuth(url.QueryEscape(c.id), url.QueryEscape(c.secret))
	return b.load(pid, http.StatusOK, func(int) (string, string, string, http.Header) { return "POST", address, form, req.Header })
}

const addClaim = `{"commands":[{"type":"com.okta.access.patch","value":[{"op":"add","path":"/claims/team","value":"blue"}]}]}`

// webhook measures a token with the hook bound; its floor is the same token without.
func (b *bench) webhook(ctx context.Context) (row, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return row{}, err
	}
	hook := &http.Server{Handler: http.HandlerFunc(answerHook), ReadHeaderTimeout: readHeaderTimeout}
	go func() { _ = hook.Serve(l) }()   // ends by Close
	defer func() { _ = hook.Close() }() // it holds nothing
	return b.hook(ctx, "token with a webhook", map[string]any{"type": "HTTP", "version": "1.0.0", "config": map[string]any{
		"uri": "http://" + l.Addr().String(), "method": "POST", "headers": []any{},
		"authScheme": map[string]any{"type": "HEADER", "key": "Authorization", "value": "bench"}}})
}

func answerHook(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body) // the hook does not look
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, addClaim) // the caller notices
}

func (b *bench) plugin(ctx context.Context) (row, error) {
	path, err := story.BuildPlugin(ctx, b.dir)
	if err != nil {
		return row{}, err
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return row{}, err
	}
	sum := sha256.Sum256(raw)
	return b.hook(ctx, "token with a plugin process", map[string]any{"type": "PLUGIN", "version": "1.0.0",
		"config": map[string]any{"path": path, "sha256": hex.EncodeToString(sum[:]), "args": []string{}}})
}

func (b *bench) hook(ctx context.Context, what string, channel map[string]any) (row, error) {
	body, err := json.Marshal(map[string]any{"name": what, "type": "com.okta.oauth2.tokens.transform", "version": "1.0.0", "channel": channel})
	if err != nil {
		return row{}, err
	}
	var made struct {
		ID string `json:"id"`
	}
	if err := b.ask(ctx, "POST", "/api/v1/inlineHooks", string(body), &made); err != nil {
		return row{}, err
	}
	c, err := b.newService(ctx)
	if err != nil {
		return row{}, err
	}
	run := b.tokens(c, b.server.PID(), b.server.URL+"/oauth2/default/v1/token")
	bound := func(id string) func(context.Context) (result, error) {
		return func(ctx context.Context) (result, error) {
			if err := b.bind(ctx, id); err != nil {
				return result{}, err
			}
			return run(ctx)
		}
	}
	return b.compare(ctx, row{what: what, floor: "the same token without a hook"}, bound(made.ID), bound(""))
}

// bind names a hook in the default rule, or none.
func (b *bench) bind(ctx context.Context, hookID string) error {
	var policies, rules []map[string]any
	path := "/api/v1/authorizationServers/default/policies"
	if err := b.ask(ctx, "GET", path, "", &policies); err != nil {
		return err
	}
	path = fmt.Sprintf("%s/%s/rules", path, policies[0]["id"])
	if err := b.ask(ctx, "GET", path, "", &rules); err != nil {
		return err
	}
	token := rules[0]["actions"].(map[string]any)["token"].(map[string]any)
	delete(token, "inlineHook")
	if hookID != "" {
		token["inlineHook"] = map[string]any{"id": hookID}
	}
	body, err := json.Marshal(rules[0])
	if err != nil {
		return err
	}
	var out json.RawMessage
	return b.ask(ctx, "PUT", fmt.Sprintf("%s/%s", path, rules[0]["id"]), string(body), &out)
}
