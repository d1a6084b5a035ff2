package webhook_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	"github.com/provost-id/provost/plugins"
	"github.com/provost-id/provost/plugins/webhook"
)

// A hook in Go is served with the signing secret that its configuration showed.
func ExampleHandler() {
	secret := webhook.NewSecret()
	hook := plugins.TokenHookFunc(func(context.Context, *plugins.TokenRequest) (*plugins.TokenResponse, error) {
		return plugins.Respond(plugins.PatchAccess(plugins.Add("department", "engineering"))), nil
	})
	handler, err := webhook.Handler(string(secret), plugins.Hooks{Token: hook})
	if err != nil {
		fmt.Println(err)
		return
	}
	server := httptest.NewServer(handler) // http.ListenAndServeTLS in a real one
	defer server.Close()

	// What provost does with it:
	caller, err := webhook.Transport(server.Client())(plugins.Hook{Channel: plugins.Channel{
		Type: plugins.ChannelHTTP, HTTP: plugins.HTTPChannel{URI: server.URL, SigningSecret: secret},
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	answer, err := caller.Call(context.Background(), []byte(`{"eventType": "com.okta.oauth2.tokens.transform"}`))
	fmt.Println(string(answer), err)
	// Output: {"commands":[{"type":"com.okta.access.patch","value":[{"op":"add","path":"/claims/department","value":"engineering"}]}]} <nil>
}

// Whoever serves a hook otherwise verifies each request before reading it.
func ExampleVerifier() {
	verifier, err := webhook.NewVerifier("whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=")
	if err != nil {
		fmt.Println(err)
		return
	}
	serve := func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
		if err == nil {
			err = verifier.Verify(r.Header, body)
		}
		if err != nil {
			http.Error(w, "not from provost", http.StatusUnauthorized)
			return
		}
		w.WriteHeader(http.StatusNoContent) // the default action
	}
	forged := httptest.NewRequest(http.MethodPost, "/", http.NoBody)
	answer := httptest.NewRecorder()
	serve(answer, forged)
	fmt.Println(answer.Code)
	// Output: 401
}
