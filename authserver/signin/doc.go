// Package signin leads a person from the authorization server's question "who is
// there?" to a session and back. One state machine stands behind the hosted page,
// which needs no JavaScript, and the flow API under /signin/v1: each step is decided
// in one place (step.go) and written out as a page or as JSON.
//
// GET writes nothing. The first POST makes a row, keyed by the hash of the browser's
// cookie together with the sealed request; every step spends the token that the last
// answer gave, so a step that is replayed, skipped or sent from elsewhere is refused
// and the flow starts again.
//
// Passwords are checked by directory, outside identities by federation; sessions are
// kept by session. Consent and what an application may have are left to authserver.
package signin
