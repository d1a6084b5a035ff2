// Package schemas says what a resource may hold, and does everything that follows
// from that and needs no I/O: it parses and validates request bodies, keeps the
// canonical stored form, derives index entries, parses filters and PATCH
// operations, renders stored bytes, and shows a resource as a flat profile.
//
// All of it walks one table, a [Type], which [Compile] makes from attribute
// definitions (RFC 7643, section 7). A compiled [Snapshot] never changes; a schema
// change compiles a new one.
//
// A resource in memory is a [Resource]. Its stored form, [Resource.Doc], is JSON in
// schema order that holds the document attributes only: id, meta, externalId,
// active, groups, members and password live elsewhere and are spliced in by
// [Type.Render].
//
// The package leaves storage, uniqueness across resources, membership and the
// lifecycle to package directory, and HTTP to directory/scim.
package schemas
