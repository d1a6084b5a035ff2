// Package plugins is the contract of the inline hooks: the JSON payloads, the
// one-method interfaces that a hook implements, the rules by which its commands
// change a token, and the dispatcher that calls the configured hooks with timeout,
// breaker and failure mode.
//
// A hook is written once and runs either as a web service ([package webhook]) or
// as a process that provost starts ([package process]); both carry the same JSON.
// The author implements [TokenHook]:
//
//	func (h departments) Token(ctx context.Context, r *plugins.TokenRequest) (*plugins.TokenResponse, error) {
//		return plugins.PatchAccess(plugins.Add("department", h.of(r))), nil
//	}
//
// and tests it with pluginstest.Run.
//
// The package imports nothing else of provost, so that a plugin links neither
// database nor server. Stores, HTTP client, process options and log are passed in.
//
// [package webhook]: https://pkg.go.dev/github.com/provost-id/provost/plugins/webhook
// [package process]: https://pkg.go.dev/github.com/provost-id/provost/plugins/process
package plugins
