// Package federation leads from an identity that another provider vouches for to a
// user of ours: which providers there are and what each may do (IdP), which of their
// subjects is which user (the link, keyed by provider, issuer and subject), and the
// one decision that every protocol's sign-in goes through (SignIn). It denies by
// default. The protocols are left to federation/oidc, pages and sessions to
// authserver/signin.
package federation
