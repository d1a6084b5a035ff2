// Package pluginstest is the suite that an author runs on a hook:
//
//	func TestHook(t *testing.T) {
//		pluginstest.Run(t, plugins.Hooks{Token: departments{}})
//	}
//
// It sends the payloads of all flows to the hook and fails when an answer would not
// be applied, comes too late, is too large, or depends on what it must not. Anything
// that is a plugins.Caller can be run: the hook itself, or the hook behind a transport.
//
// [TokenRequests] are the payloads, for tests of one's own. The same are kept as JSON
// in testdata/hooks of provost's repository.
package pluginstest
