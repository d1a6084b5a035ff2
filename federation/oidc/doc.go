// Package oidc is the relying party of OpenID Connect: it starts an authorization
// code flow at a provider and takes the response to an assertion that is proven.
// Every flow has PKCE with S256, a nonce, a state and the issuer check of RFC 9207;
// ID tokens are signed with an asymmetric algorithm of the allow-list.
//
// It knows no session: what Start returns is kept by the caller, bound to the browser
// and used once. Whom an assertion lets in is decided by federation.
package oidc
