// Package transfer imports and exports the people, groups and other resources of a
// directory as files: CSV (RFC 4180), LDIF content records (RFC 2849) and SCIM resources
// as JSON lines. Both ways stream: memory does not grow with the file.
//
// An import is resumable: how far it has come is committed with every batch. What it
// cannot take goes to a reject file, with the line and the reason.
//
// It leaves what a resource may hold to schemas, how it is stored to directory, and the
// exchange with other systems (apps, schedules, deletions) to provisioning.
package transfer
