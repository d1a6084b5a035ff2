package schemas

import "strings"

// Core is the URN of the schema that every resource of the type has.
func (t *Type) Core() string { return t.def.Core.ID }

// schema returns the attribute under which the attributes of a schema stand.
func (t *Type) schema(id string) (*attr, bool) {
	for _, u := range t.urns {
		if strings.EqualFold(u.id, id) {
			return u.attr, true
		}
	}
	return nil, false
}

// sub finds a sub-attribute by name, in any case (RFC 7643, section 2.1).
func (a *attr) sub(name string) *attr {
	var buf [maxNameLength]byte
	if len(name) > len(buf) {
		return nil
	}
	for i := range len(name) {
		c := name[i]
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		buf[i] = c
	}
	return a.byName[string(buf[:len(name)])]
}

// find resolves an attribute path without a value filter: "title", "name.givenName",
// "urn:...:User:department", "urn:...:User", or the bare name of an attribute that
// only an extension has (RFC 7644, section 3.10).
func (t *Type) find(path string) *attr {
	if strings.IndexByte(path, ':') >= 0 {
		return t.findQualified(path)
	}
	if a := t.root.descend(path); a != nil {
		return a
	}
	for _, u := range t.urns {
		if !u.attr.extends {
			continue
		}
		if a := u.attr.descend(path); a != nil {
			return a
		}
	}
	return nil
}

// findQualified resolves a path under a URN. Of two URNs that both begin it, the longer
// one is meant.
func (t *Type) findQualified(path string) *attr {
	var best urn
	for _, u := range t.urns {
		n := len(u.id)
		if len(path) < n || !strings.EqualFold(path[:n], u.id) || len(path) > n && path[n] != ':' {
			continue
		}
		if n > len(best.id) {
			best = u
		}
	}
	switch {
	case best.attr == nil:
		return nil
	case len(path) == len(best.id):
		return best.attr
	default:
		return best.attr.descend(path[len(best.id)+1:])
	}
}

// descend resolves "name" or "name.sub" below a.
func (a *attr) descend(path string) *attr {
	name, sub, dotted := strings.Cut(path, ".")
	found := a.sub(name)
	if found == nil || !dotted {
		return found
	}
	if found.Type != Complex || found.extends {
		return nil
	}
	return found.sub(sub)
}
