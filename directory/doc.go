// Package directory is the only writer of identity data: users, groups and their
// members, resources of other types, passwords, lifecycle, external IDs, apps and app
// users. Every change is one transaction that stores the resource, its index entries, its
// event and the markers of the apps that must hear of it; what concerns many resources is
// worked off in small ones by a worker.
//
// It leaves what a resource may hold to schemas, what a good password is and how it is
// hashed to directory/passwords, the SCIM protocol to
// directory/scim, the management API to directory/manage, and what happens in
// other systems to provisioning.
package directory
