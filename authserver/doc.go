// Package authserver is the token service: authorization servers with their scopes,
// claims, access policies and signing keys, OAuth clients, and the endpoints that
// issue, describe and revoke tokens (RFC 6749, RFC 7636, OpenID Connect Core).
//
// fosite parses and validates the requests, authenticates clients through a strategy
// of ours, and runs the handlers; each authorization server has one immutable
// provider, built from the configuration snapshot. What fosite v0.49 does not do
// safely stands in handlers of our own: code exchange and refresh, with one
// transaction each, so that the loser of a race is refused and its family revoked.
//
// Who is signed in belongs to the session package, how a person signs in to signin,
// what a person is to directory, what a hook may change to plugins, and the
// management API to the manage package; they come in as small interfaces.
package authserver
