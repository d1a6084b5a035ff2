package feed

import "slices"

// The URIs of events that are generated here (RFC 9967, section 7.4).
const (
	prefix = "urn:ietf:params:scim:event:"

	createNotice = prefix + "prov:create:notice"
	createFull   = prefix + "prov:create:full"
	patchNotice  = prefix + "prov:patch:notice"
	patchFull    = prefix + "prov:patch:full"
	putNotice    = prefix + "prov:put:notice"
	putFull      = prefix + "prov:put:full"
	deleted      = prefix + "prov:delete"
	activate     = prefix + "prov:activate"
	deactivate   = prefix + "prov:deactivate"
)

// URIs are all events that a stream can carry.
func URIs() []string {
	return []string{createNotice, createFull, patchNotice, patchFull, putNotice, putFull, deleted, activate, deactivate}
}

// defaultURIs are those of a stream whose maker does not say: no values leave the
// directory unless somebody asks for them.
func defaultURIs() []string {
	return slices.DeleteFunc(URIs(), func(uri string) bool { return uri == createFull || uri == patchFull || uri == putFull })
}
