// Package session owns who is signed in: one row for each session, keyed by the
// hash of the cookie, so that a session holds on every node, survives a restart and
// ends at once everywhere. It also seals the request by which the authorization
// server asks the sign-in page for a person. How a person proves who they are is
// left to signin; what a session may be used for is left to authserver.
package session
