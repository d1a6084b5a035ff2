package schemas

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

var endpointForm = regexp.MustCompile(`^/[A-Za-z][A-Za-z0-9_-]*$`)

// reserved are the endpoints that RFC 7644, section 3.2, gives to the protocol, and that
// of event streams.
var reserved = []string{"/Me", "/Bulk", "/Schemas", "/ResourceTypes", "/ServiceProviderConfig", "/streams"}

// checkEndpoint wants a path of one name that nothing else is at.
func (s *Snapshot) checkEndpoint(endpoint string) error {
	is := func(other string) bool { return strings.EqualFold(other, endpoint) }
	switch {
	case !endpointForm.MatchString(endpoint) || len(endpoint) > maxNameLength:
		return fmt.Errorf("endpoint %q: want a slash and letters, digits, - and _, at most %d", endpoint, maxNameLength)
	case slices.ContainsFunc(reserved, is):
		return fmt.Errorf("endpoint %s: SCIM gives it another meaning", endpoint)
	case slices.ContainsFunc(s.types, func(t *Type) bool { return is(t.Endpoint) }):
		return fmt.Errorf("endpoint %s: twice", endpoint)
	}
	return nil
}

// TypeAt returns the resource type whose endpoint is a name, as "Users", below the base
// of the service.
func (s *Snapshot) TypeAt(name string) (*Type, bool) {
	for _, t := range s.types {
		if t.Endpoint[1:] == name {
			return t, true
		}
	}
	return nil, false
}
