// Package scim holds the wire types of SCIM 2.0 that are no resources: list
// responses, errors, PATCH requests and the service provider configuration
// (RFC 7643, section 5; RFC 7644, sections 3.4.2, 3.5.2, 3.12; RFC 9865). The server
// and the outbound client share them. It leaves resources to package schemas.
package scim
