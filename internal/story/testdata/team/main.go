// Command team is the story's plugin: a hook that gives every access token the claim
// "team".
package main

import (
	"context"

	"github.com/provost-id/provost/plugins"
	"github.com/provost-id/provost/plugins/process"
)

func main() {
	process.Serve(plugins.Hooks{Token: plugins.TokenHookFunc(func(context.Context, *plugins.TokenRequest) (*plugins.TokenResponse, error) {
		return plugins.Respond(plugins.PatchAccess(plugins.Add("team", "green"))), nil
	})})
}
