package pluginstest_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/provost-id/provost/plugins"
	"github.com/provost-id/provost/plugins/pluginstest"
)

var hook = plugins.TokenHookFunc(func(_ context.Context, r *plugins.TokenRequest) (*plugins.TokenResponse, error) {
	if r.Data.Context.User == nil {
		return plugins.Respond(), nil
	}
	return plugins.Respond(plugins.PatchAccess(plugins.Add("department", "engineering"))), nil
})

// The test of a hook is this line in a function TestHook(t *testing.T).
func ExampleRun() {
	var t *testing.T // given by go test
	_ = func() { pluginstest.Run(t, plugins.Hooks{Token: hook}) }
}

// The payloads are for tests of one's own, too.
func ExampleTokenRequests() {
	for _, flow := range []string{pluginstest.CodeFlow, pluginstest.ClientCredentials} {
		resp, err := hook.Token(context.Background(), pluginstest.TokenRequests()[flow])
		fmt.Println(flow, len(resp.Commands), err)
	}
	// Output:
	// token-code 1 <nil>
	// token-client-credentials 0 <nil>
}
