// Package exchange keeps SCIM exchanges in files: what a client sent and what it was
// answered. A [Recorder] stands between a client and a server and writes such a file,
// without the secrets; a [Player] sends the requests of one to a server and compares
// the answers. testdata/scim has the files of the clients that are supported.
//
// Values that differ from one run to the next stand as {{name}}: the first answer that
// has one gives it its value, and every later request and answer means that value.
// {{any}} is anything, {{time}} a time of RFC 3339, and {{password}} in a request a
// password that is good enough. An expected object may leave members out; one that is
// null must be absent.
//
// The package knows HTTP and JSON, and leaves what an exchange means to the two sides.
package exchange
