// Package manage serves identity providers and their users in the management API,
// /api/v1/idps. It decodes, asks federation, and maps its errors; the client secret
// of a provider goes in and never comes out.
package manage
