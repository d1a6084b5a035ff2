package schemas

import "strings"

// formerURNs are schema URNs of SCIM 1.1 and of drafts of 2.0, and what they are now;
// empty stands for the core schema of the type. Longer ones come first.
var formerURNs = []struct{ former, now string }{
	{"urn:scim:schemas:extension:enterprise:2.0:User", enterpriseUser},
	{"urn:scim:schemas:extension:enterprise:1.0:User", enterpriseUser},
	{"urn:scim:schemas:extension:enterprise:2.0", enterpriseUser},
	{"urn:scim:schemas:extension:enterprise:1.0", enterpriseUser},
	{"urn:scim:schemas:core:2.0:User", ""},
	{"urn:scim:schemas:core:2.0:Group", ""},
	{"urn:scim:schemas:core:2.0", ""},
	{"urn:scim:schemas:core:1.0", ""},
}

const enterpriseUser = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

// findSpoken is find for a client that may use the URNs of another day.
func (t *Type) findSpoken(path string, d Dialect) *attr {
	a := t.find(path)
	if a == nil && d.FormerURNs {
		if now := t.urnOfToday(path); now != "" {
			return t.find(now)
		}
	}
	return a
}

// urnOfToday spells a path that begins with a former URN as it is spelt now; empty for
// any other. SCIM 1.1 put a dot between the URN and the attribute.
func (t *Type) urnOfToday(path string) string {
	for _, u := range formerURNs {
		n := len(u.former)
		if len(path) < n || !strings.EqualFold(path[:n], u.former) {
			continue
		}
		now := u.now
		if now == "" {
			now = t.def.Core.ID
		}
		switch rest := path[n:]; {
		case rest == "":
			return now
		case rest[0] == ':' || rest[0] == '.':
			return now + ":" + rest[1:]
		}
	}
	return ""
}
