// Package feed tells others what changes in the directory: streams of SCIM events (RFC
// 9967) as signed security event tokens (RFC 8417), which a receiver polls (RFC 8936)
// or gets pushed (RFC 8935). It is served from the events table and keeps nothing of
// its own but where each stream stands, so a change costs the same whether nobody
// listens or many do.
//
// It owns streams, their signing keys, what an event of the log becomes as a SET, and
// delivery. It leaves the log to events, resources to directory, the poll endpoint to
// directory/scim and the management of streams to directory/manage.
package feed
