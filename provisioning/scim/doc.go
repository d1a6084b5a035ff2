// Package scim is the connector to applications that speak SCIM 2.0 (RFC 7643 and 7644).
//
// It owns the requests: discovery, paging, look-up by filter, the smallest PATCH or, where a target has none, PUT; and the
// ways of particular targets, which are data (profiles.json), not code. It leaves to provisioning what is written when, and to the HTTP
// client that it is given which addresses may be reached. Wire types are those of schemas/scim.
package scim
