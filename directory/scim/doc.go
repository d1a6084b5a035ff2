// Package scim serves SCIM 2.0 (RFC 7643, RFC 7644, and RFC 9865 for cursors) below
// /scim/v2: it reads requests, asks the directory, and turns results and errors into
// the protocol's form. Stored documents go out as they are, spliced and projected;
// nothing is decoded to answer a read.
//
// It leaves what a resource may hold to schemas, and every decision about people and
// groups to directory. Nothing that comes in here can change the group
// Administrators.
package scim
