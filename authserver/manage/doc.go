// Package manage is the management API of the authorization servers: their scopes,
// claims, access policies, rules, keys and simulation under
// /api/v1/authorizationServers, and the OAuth clients under /oauth2/v1/clients. It
// owns the form of requests, answers and errors; what a value means belongs to
// authserver.
package manage
