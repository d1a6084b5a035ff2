package process_test

import (
	"context"

	"github.com/provost-id/provost/plugins"
	"github.com/provost-id/provost/plugins/process"
)

// The main of a plugin is this.
func ExampleServe() {
	process.Serve(plugins.Hooks{Token: plugins.TokenHookFunc(
		func(context.Context, *plugins.TokenRequest) (*plugins.TokenResponse, error) {
			return plugins.Respond(plugins.PatchAccess(plugins.Add("department", "engineering"))), nil
		})})
}
